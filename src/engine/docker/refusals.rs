//! What the engine says when it refuses, known by marks in its words: one entry a sort, with a way out.

use super::errors::{failed, shortened};
use crate::diag::{Code, Diagnostic};

/// One sort of refusal: words that mark it, its code, its sentence (`{what}` is what was being done), and ways out.
struct Refusal {
    marks: &'static [&'static str],
    code: Code,
    title: &'static str,
    hints: &'static [&'static str],
}

const PULLED: &str = "sign in: docker login REGISTRY";

/// Looked through in order; the first whose mark is in the engine's words (in lower case) counts.
const REFUSALS: &[Refusal] = &[
    Refusal {
        marks: &[
            "port is already allocated",
            "failed to bind host port",
            "bind: address already in use",
            "ports are not available",
        ],
        code: "engine.port-taken",
        title: "could not {what}: a host port is taken",
        hints: &["find who holds it: ss -ltnup", "publish another port, or stop the other program"],
    },
    Refusal {
        marks: &["is already in use by container"],
        code: "engine.name-taken",
        title: "could not {what}: a container of that name is there already",
        hints: &["see it: docker ps -a", "rename or remove it, or choose another name"],
    },
    Refusal {
        marks: &["address already in use"],
        code: "engine.address-taken",
        title: "could not {what}: its fixed address is taken",
        hints: &["choose another `ipv4_address`, outside of `ip_range`"],
    },
    Refusal {
        marks: &["no space left on device", "disk quota exceeded"],
        code: "engine.disk-full",
        title: "could not {what}: the engine's disk is full",
        hints: &["see what fills it: docker system df", "remove what is not needed: docker image prune"],
    },
    Refusal {
        marks: &["non-overlapping ipv4 address pool", "address pools have been fully subnetted"],
        code: "engine.no-subnets",
        title: "could not {what}: the engine has no address range left for another network",
        hints: &[
            "remove networks that nothing uses: docker network prune",
            "give the network a subnet of its own, or raise default-address-pools in /etc/docker/daemon.json",
        ],
    },
    Refusal {
        marks: &["pool overlaps with other one on this address space"],
        code: "engine.subnet-taken",
        title: "could not {what}: its subnet overlaps with another network's",
        hints: &["see the others: docker network inspect $(docker network ls -q)", "choose another subnet"],
    },
    Refusal {
        marks: &[
            "no matching manifest for",
            "does not match the specified platform",
            "image with reference was found but its platform",
        ],
        code: "engine.no-platform",
        title: "could not {what}: the image is not made for this platform",
        hints: &["choose a tag that is, or set `platform`"],
    },
    Refusal {
        marks: &["toomanyrequests"],
        code: "engine.registry-limit",
        title: "could not {what}: the registry allows no more pulls for now",
        hints: &["wait, or sign in for a higher limit: docker login"],
    },
    Refusal {
        marks: &[
            "pull access denied",
            "unauthorized",
            "authentication required",
            "no basic auth credentials",
            "requested access to the resource is denied",
            "incorrect username or password",
            "denied: ",
        ],
        code: "engine.registry-denied",
        title: "could not {what}: the registry does not give it to you, or there is no such image",
        hints: &["check the image's name", PULLED],
    },
    Refusal {
        marks: &[
            "manifest unknown",
            "manifest for ",
            "repository does not exist",
            "name unknown",
            "invalid repository name",
            "failed to resolve reference",
        ],
        code: "engine.no-manifest",
        title: "could not {what}: the registry has no such image or tag",
        hints: &["check name and tag on the registry's page"],
    },
    Refusal {
        marks: &[
            "dial tcp",
            "no such host",
            "i/o timeout",
            "tls handshake timeout",
            "client.timeout exceeded",
            "network is unreachable",
            "server misbehaving",
            "tls: failed to verify certificate",
            "http response to https client",
        ],
        code: "engine.registry-unreachable",
        title: "could not {what}: the registry cannot be reached",
        hints: &["is the machine online, and does its name service work?"],
    },
    Refusal {
        marks: &["no such image"],
        code: "engine.no-image",
        title: "could not {what}: the image is not on this machine",
        hints: &["pull it: hearth pull"],
    },
    Refusal {
        marks: &["not a directory: unknown: are you trying to mount a directory onto a file"],
        code: "engine.mount",
        title: "could not {what}: a file and a directory would be mounted onto each other",
        hints: &["a missing source is made as a directory: put the file there first, then remove the directory"],
    },
    Refusal {
        marks: &[
            "bind source path does not exist",
            "invalid mount config",
            "error mounting",
            "failed to mount",
            "invalid volume specification",
            "error while mounting volume",
            "error while creating mount source path",
            "failed to mount local volume",
            "duplicate mount point",
        ],
        code: "engine.mount",
        title: "could not {what}: a mount cannot be made",
        hints: &["check sources and targets under `volumes`"],
    },
    Refusal {
        marks: &[
            "error gathering device information",
            "could not select device driver",
            "unresolvable cdi devices",
            "error mapping device",
        ],
        code: "engine.device",
        title: "could not {what}: a device is not there",
        hints: &["check `devices` and `gpus`, and whether the device's driver is loaded"],
    },
    Refusal {
        marks: &["invalid capability", "unknown capability", "invalid capadd", "invalid capdrop"],
        code: "engine.capability",
        title: "could not {what}: there is no such capability",
        hints: &["check `cap_add` and `cap_drop`: names such as NET_ADMIN"],
    },
    Refusal {
        marks: &["client version", "minimum supported api version"],
        code: "engine.too-old",
        title: "could not {what}: this engine and Hearth have no API version in common",
        hints: &["bring Docker to 20.10 or newer"],
    },
    Refusal {
        marks: &[
            "executable file not found",
            "no command specified",
            "no such file or directory: unknown",
            "exec format error",
            "is a directory: unknown",
        ],
        code: "engine.no-command",
        title: "could not {what}: its command is not in the image, or does not run there",
        hints: &["check `command` and `entrypoint`, and that the image is made for this processor"],
    },
    Refusal {
        marks: &["volume is in use"],
        code: "engine.volume-in-use",
        title: "could not {what}: a container still uses it",
        hints: &["see which: docker ps -a --filter volume=NAME"],
    },
    Refusal {
        marks: &["network with name "],
        code: "engine.network-exists",
        title: "could not {what}: there is one of that name already",
        hints: &["run the command again: it looks at the world anew"],
    },
    Refusal {
        marks: &["has active endpoints"],
        code: "engine.network-in-use",
        title: "could not {what}: containers are still attached to it",
        hints: &["see which: docker network inspect NAME"],
    },
    Refusal {
        marks: &["image is being used by", "image is referenced in multiple repositories", "conflict: unable to"],
        code: "engine.image-in-use",
        title: "could not {what}: a container or another tag still uses it",
        hints: &["see which: docker ps -a --filter ancestor=IMAGE"],
    },
    Refusal {
        marks: &[
            "cannot join network of a non running container",
            "cannot join network namespace",
            "joining network namespace",
            "no such container",
        ],
        code: "engine.no-container",
        title: "could not {what}: a container that it needs is gone or not running",
        hints: &["run the command again: it looks at the world anew"],
    },
    Refusal {
        marks: &["network not found", "no such network", "could not find a network matching"],
        code: "engine.no-network",
        title: "could not {what}: a network that it needs is gone",
        hints: &["run the command again: missing networks are made"],
    },
    Refusal {
        marks: &["get_no_such_volume", "no such volume"],
        code: "engine.no-volume",
        title: "could not {what}: a volume that it needs is gone",
        hints: &["run the command again: missing volumes are made"],
    },
    Refusal {
        marks: &["unknown or invalid runtime", "unknown runtime"],
        code: "engine.runtime",
        title: "could not {what}: the engine has no such runtime",
        hints: &["see which it has: docker info"],
    },
];

/// Words for what the engine said when it was asked to `what`.
pub fn words(status: u16, message: &str, what: &str) -> Diagnostic {
    let lower = message.to_lowercase();
    let network_gone = lower.starts_with("network ") && lower.contains(" not found");
    let known = match network_gone {
        true => REFUSALS.iter().find(|r| r.code == "engine.no-network"),
        false => REFUSALS.iter().find(|r| r.marks.iter().any(|mark| lower.contains(mark))),
    };
    let said = format!("the engine said: {}", shortened(message));
    match known {
        Some(known) => {
            let diagnostic = failed(known.code, known.title.replace("{what}", what));
            known.hints.iter().fold(diagnostic, |d, hint| d.hint(*hint)).hint(said)
        }
        None if status == 501 || lower.contains("not implemented") => {
            failed("engine.not-implemented", format!("could not {what}: this engine does not do that")).hint(said)
        }
        None => failed("engine.refused", format!("could not {what}: {}", shortened(message))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sort_of_refusal_has_its_code() {
        for (message, code) in [
            (
                "driver failed programming external connectivity on endpoint x (0f): Bind for 0.0.0.0:80 failed: port is already allocated",
                "engine.port-taken",
            ),
            (
                "driver failed programming external connectivity: Error starting userland proxy: listen tcp4 0.0.0.0:22: bind: address already in use",
                "engine.port-taken",
            ),
            (
                "failed to set up container networking: driver failed programming external connectivity on endpoint a (b): failed to bind host port for 0.0.0.0:80:172.18.0.2:80/tcp: address already in use",
                "engine.port-taken",
            ),
            (
                "Conflict. The container name \"/w\" is already in use by container \"3f\". You have to remove (or rename) that container to be able to reuse that name.",
                "engine.name-taken",
            ),
            ("No such image: nope:1", "engine.no-image"),
            ("manifest for nginx:99 not found: manifest unknown: manifest unknown", "engine.no-manifest"),
            (
                "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                "engine.registry-denied",
            ),
            (
                "Head \"https://r.example/v2/a/manifests/1\": dial tcp: lookup r.example on 1.1.1.1:53: no such host",
                "engine.registry-unreachable",
            ),
            ("invalid mount config for type \"bind\": bind source path does not exist: /none", "engine.mount"),
            (
                "error gathering device information while adding custom device \"/dev/none\": no such file or directory",
                "engine.device",
            ),
            ("invalid CapAdd: unknown capability: \"CAP_FLY\"", "engine.capability"),
            ("write /var/lib/docker/tmp/x: no space left on device", "engine.disk-full"),
            (
                "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
                "engine.no-subnets",
            ),
            ("all predefined address pools have been fully subnetted", "engine.no-subnets"),
            ("client version 1.53 is too new. Maximum supported API version is 1.45", "engine.too-old"),
            (
                "failed to create task for container: OCI runtime create failed: exec: \"nope\": executable file not found in $PATH: unknown",
                "engine.no-command",
            ),
            ("network 0f3c not found", "engine.no-network"),
            ("error while removing network: network x id 0f has active endpoints", "engine.network-in-use"),
            ("remove v: volume is in use - [3f]", "engine.volume-in-use"),
            ("toomanyrequests: You have reached your pull rate limit", "engine.registry-limit"),
            ("network with name p_default already exists", "engine.network-exists"),
            ("something new", "engine.refused"),
        ] {
            let diagnostic = words(500, message, "start the container `w`");
            assert_eq!(diagnostic.code, code, "{message}");
            assert!(diagnostic.title.contains("start the container `w`"), "{}", diagnostic.title);
            assert_eq!(diagnostic.kind.exit_code(), 1);
        }
    }
}
