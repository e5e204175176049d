# The setup, step by step.
welcome-step = Step { $at } of { $of }
welcome-back = Back
welcome-leave = Leave for the home page
welcome-go-on = Go on
welcome-go-on-anyhow = Go on all the same
welcome-look-again = Look again

welcome-machine = This machine
welcome-machine-about = What the home stands on, looked at just now. What is not as it should be stands here with its fix; it can be mended later too.
welcome-machine-fine = { $count ->
    [one] One thing is in order.
   *[other] { $count } things are in order.
}

welcome-way = How services are reached
welcome-way-about = Either can be changed later. To go on writes it down; with another way than until now Traefik begins or ends at once, and what runs already moves along.
welcome-localhost = On ports of this machine
welcome-localhost-about = As http://127.0.0.1:7080. Nothing else is needed, and nobody outside of this machine reaches them. Good to begin with.
welcome-domain-mode = By name, with HTTPS
welcome-domain-mode-about = As https://photos.example.org: Traefik takes ports 80 and 443 of this machine, each service has a name, a certificate, and asks who may enter.
welcome-domain = Domain
welcome-domain-example = home.arpa
welcome-domain-about = One that is yours, or home.arpa, which is for homes that have none. Names below it have to lead to this machine: the page of routes says how.
welcome-domain-missing = By name needs a domain: write one, as home.arpa.
welcome-domain-wrong = That is no domain: letters, digits and dashes, with a dot between, as home.example.org.
welcome-domain-private = No public authority gives certificates for such a name: choose the home's own, or a domain that is registered.
welcome-certificates = Certificates
welcome-local = The home's own authority
welcome-local-about = Costs nothing and needs nobody. Every device is told once to trust it.
welcome-http = Let's Encrypt, proved over port 80
welcome-http-about = Every browser trusts it. Port 80 of each name has to lead here from the internet.
welcome-dns = Let's Encrypt, proved by DNS
welcome-dns-about = The same, also where nothing leads here from outside. Your DNS provider has to be one of those below.
welcome-provider = DNS provider
welcome-provider-none = none
welcome-provider-about = What it wants to know is asked next, on this page.
welcome-provider-wrong = Say which provider keeps the domain.
welcome-key-missing = { $provider } wants this. It is kept in .env, and shown to nobody.
welcome-outside = The home's own authority may not vouch for { $domain }.
welcome-outside-about = It was made before the home had this name. A new one may; your browser then asks once more whether you trust this page.
welcome-outside-make = Make a new one, and go on

welcome-found = What runs here already
welcome-found-about = { $count ->
    [one] There is one Compose project on this machine that Hearth does not look after. Adopting it changes nothing of what runs.
   *[other] There are { $count } Compose projects on this machine that Hearth does not look after. Adopting one changes nothing of what runs.
}
welcome-found-none = { $count ->
    [0] There is nothing here to adopt.
    [one] The one project here is decided about.
   *[other] The { $count } projects here are decided about.
}
welcome-found-later = Go on, and decide later

welcome-profiles = What should run
welcome-profiles-about = A profile is services that belong together. Choose some: what they would do is shown before anything happens, and each can be turned off again.
welcome-on-already = on already
welcome-profiles-none = No stack of this home has a profile.
welcome-wanted = What they need to know
welcome-wanted-secret = Leave it empty, and a random one is made. It is kept in .env, and shown to nobody.
welcome-see-plan = See what would happen

welcome-plan = Before anything happens
welcome-would = What would happen
welcome-stays = What stays
welcome-apply = Do it
welcome-other-profiles = Choose others

welcome-work = It is being done
welcome-steps = Steps
welcome-what-answers = See what answers
welcome-not-yet = It goes on when this page is closed.
welcome-restarted = Hearth was restarted while this was under way.
welcome-restarted-about = What was begun is finished, or taken back, by making the plan again: it has only what is left to do.
welcome-plan-again = Make the plan again

welcome-done = You are done
welcome-done-about = This is your home now. What it has stands on its page, with what needs you above.
welcome-answers = What answers
welcome-is-answered = Answers
welcome-is-not-answered = Does not answer yet
welcome-no-ways = Nothing that is on has a way in.
welcome-here = These addresses are for this machine alone. From another one: ssh -L, or a domain.
welcome-trust = Other devices trust this home once they are told to:
welcome-without = The same without Hearth, at any time, in the home's folder:
welcome-home = To the home
welcome-line = The setup of this home goes on where you left it
