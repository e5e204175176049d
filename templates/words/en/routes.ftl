# Ways in, and their certificates.
routes-title = Routes
routes-about = Who is reachable where, and by whom. What can be tried was tried just now.
routes-trust = Trust on another device
routes-unguarded = On 127.0.0.1 nobody is asked who they are.
routes-unguarded-about = In this home services are on ports of this machine: every program here reaches them. With a domain each has a name, a certificate and a login.
routes-ways = Ways in
routes-none = No service has a route. Three lines in its stack give it one:
routes-how = how
routes-certificates = Certificates
routes-works = Works
routes-fails = Does not work
routes-untried = On, not tried
routes-valid = Valid
routes-not-renewed = Valid, and not renewed
routes-not-valid = Not valid
routes-who-machine = for whoever is at this machine
routes-who-public = for everybody
routes-who-lan = for whoever is at home
routes-who-lan-or-user = for whoever is at home, or signed in
routes-who-user = for whoever is signed in
routes-who-admin = for admins
routes-who-group = for the group
routes-certificate-of = certificate of { $issuer }, { $until }
routes-distrusted = not believed here: { $why }
routes-over = over
routes-ends-today = ends today
routes-more-days = { $count ->
    [one] one more day
   *[other] { $count } more days
}
