//! Live tests: the hearth binary and Docker Compose on a real Docker Engine. One file per promise; `docs/testing.md` tells more.

mod rig;

mod access_ends;
mod acme;
mod acme_through_traefik;
mod adoption;
mod api;
mod api_by_outsiders;
mod audit;
mod bad_updates;
mod crash;
mod crowd;
mod dns_providers;
mod doctor;
mod engine_trouble;
mod first_walk;
mod forged_headers;
mod forward_auth;
mod found;
mod front_door;
mod front_door_faults;
mod gate;
mod gate_with_traefik;
mod hearth_in_a_container;
mod homes;
mod in_a_browser;
mod labels;
mod lan_trap;
mod lighthouse;
mod loading;
mod many_networks;
mod new_engines;
mod on_the_way;
mod one_writer;
mod other_ports;
mod other_routes;
mod other_sites;
mod other_sites_rows;
mod other_ways_in;
mod own_server;
mod pages;
mod people;
mod plan_lints;
mod prune;
mod samples;
mod scanned;
mod secrets;
mod served_certificates;
mod setup_walk;
mod start_first;
mod starter_home;
mod tls;
mod traefik_integration;
mod tricky_cases;
mod two_homes;
mod two_way;
mod verbs;

fn main() -> std::process::ExitCode {
    if let [_, word, file] = std::env::args().collect::<Vec<_>>().as_slice()
        && word == audit::WORD
    {
        return audit::be(file);
    }
    rig::main(&[
        ("access_ends", access_ends::CASES),
        ("lighthouse", lighthouse::CASES),
        ("loading", loading::CASES),
        ("homes", homes::CASES),
        ("labels", labels::CASES),
        ("secrets", secrets::CASES),
        ("adoption", adoption::CASES),
        ("audit", audit::CASES),
        ("api", api::CASES),
        ("api_by_outsiders", api_by_outsiders::CASES),
        ("one_writer", one_writer::CASES),
        ("own_server", own_server::CASES),
        ("people", people::CASES),
        ("found", found::CASES),
        ("pages", pages::CASES),
        ("prune", prune::CASES),
        ("setup_walk", setup_walk::CASES),
        ("first_walk", first_walk::CASES),
        ("samples", samples::CASES),
        ("scanned", scanned::CASES),
        ("hearth_in_a_container", hearth_in_a_container::CASES),
        ("bad_updates", bad_updates::CASES),
        ("two_homes", two_homes::CASES),
        ("two_way", two_way::CASES),
        ("verbs", verbs::CASES),
        ("engine_trouble", engine_trouble::CASES),
        ("acme", acme::CASES),
        ("acme_through_traefik", acme_through_traefik::CASES),
        ("dns_providers", dns_providers::CASES),
        ("gate", gate::CASES),
        ("gate_with_traefik", gate_with_traefik::CASES),
        ("forged_headers", forged_headers::CASES),
        ("forward_auth", forward_auth::CASES),
        ("doctor", doctor::CASES),
        ("plan_lints", plan_lints::CASES),
        ("front_door", front_door::CASES),
        ("in_a_browser", in_a_browser::CASES),
        ("front_door_faults", front_door_faults::CASES),
        ("lan_trap", lan_trap::CASES),
        ("on_the_way", on_the_way::CASES),
        ("other_routes", other_routes::CASES),
        ("other_ports", other_ports::CASES),
        ("other_sites", other_sites::CASES),
        ("other_ways_in", other_ways_in::CASES),
        ("served_certificates", served_certificates::CASES),
        ("many_networks", many_networks::CASES),
        ("new_engines", new_engines::CASES),
        ("tls", tls::CASES),
        ("traefik_integration", traefik_integration::CASES),
        ("start_first", start_first::CASES),
        ("starter_home", starter_home::CASES),
        ("crash", crash::CASES),
        ("crowd", crowd::CASES),
        ("tricky_cases::dependencies", tricky_cases::dependencies::CASES),
        ("tricky_cases::hashes", tricky_cases::hashes::CASES),
        ("tricky_cases::made_by_hand", tricky_cases::made_by_hand::CASES),
        ("tricky_cases::networks", tricky_cases::networks::CASES),
        ("tricky_cases::volumes", tricky_cases::volumes::CASES),
    ])
}
