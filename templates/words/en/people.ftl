# People, groups and invitations, as an admin sees them.
people-title = People
people-all = Accounts
people-story = Who has an account of this home, and what each may do.
people-add = Add somebody
people-add-story = You make the account for them. To let them choose their own name and password:
people-invite = Invite somebody
people-filter = Which people
people-name = Name or e-mail
people-role = Role
people-group = Group
people-state = State
people-factor = Second factor
people-any = Any
people-with = With
people-without = Without
people-show = Show
people-show-all = Show all
people-nobody = There is nobody yet.
people-nobody-fits = Nobody is like that.
people-active = Active
people-inactive = Not active
people-never = never signed in
people-last = signed in
people-has-factor = second factor
people-no-factor = no second factor
people-role-admin = Admin
people-role-operator = Operator
people-role-member = Member
people-role-viewer = Viewer
people-may-admin = Admin: everything, people and settings too
people-may-operator = Operator: starts, stops and updates services
people-may-member = Member: uses the services that are opened to them
people-may-viewer = Viewer: sees all services, changes nothing
people-username = User name
people-username-hint = Up to 32 letters a-z, digits, dots, - and _, beginning with a letter or digit. It stays.
people-shown = Shown name
people-email = E-mail (can be left out)
people-password = Password
people-password-hint = 10 characters or more. Left empty, one is made up and shown once.
people-password-new = Give a new one
people-password-only = Take every other way in away too: second factor, passkeys, the link with the provider
people-password-ends = They are signed out everywhere, and their API tokens end.
people-password-set = Set the password
people-made-password = The password that was made up
people-made-password-story = It is shown now and never again. Tell it to them; they can change it under their own account.
people-not-now = Not now
people-last-admin = { $name } is the last active admin
people-last-admin-story = Their role and state cannot be changed, and they cannot be removed: the home would have no admin. Make somebody else one first.
people-own = This is you. What is yours alone, as your password, passkeys and tokens, is under:
people-who = Who they are
people-may-sign-in = May sign in
people-may-sign-in-hint = Another role, or no longer being active, signs them out everywhere at once and ends their API tokens.
people-save = Save
people-only = only { $services }
people-reach = What they may enter
people-reach-all = Whatever is open to their role and groups
people-reach-only = Only these services
people-reach-hint = Of all that asks for a login they enter these, and what is for one of their groups. It counts within a second. Only for members.
people-ways = How they sign in
people-codes-left = On. { $count ->
    [one] 1 recovery code is left.
   *[other] { $count } recovery codes are left.
  }
people-factor-off = Turn it off
people-passkey = Passkey
people-linked = Linked account at the provider
people-used = used
people-never-used = never used
people-take = Take away
people-take-named = Take away: { $name }
people-unlink = Unlink
people-unlink-story = Unlinked, they sign in by what else they have.
people-sessions = Signed in
people-program = Program
people-browser = Browser
people-end = End
people-end-named = End: { $name }
people-end-all = Sign out everywhere
people-no-sessions = They are signed in nowhere.
people-tokens = API tokens
people-no-tokens = They have none.
people-until = until { $day }
people-remove = Remove the account
people-remove-last = The last active admin cannot be removed.
people-remove-goes = { $name } is signed out everywhere, and their password, second factor, passkeys, links and API tokens are gone for good.
people-remove-stays = What they did stays in the audit. What is theirs stays for whoever inherits it.
people-heir = Who gets what is theirs
people-heir-none = Nobody: the admins keep it for 30 days
people-type-name = To go on, type the name: { $name }
people-remove-do = Remove { $name }
groups-title = Groups
groups-story = A way in can be for one group alone. Who is in it may enter; admins always may.
groups-members = { $count ->
    [0] nobody in it
    [one] 1 person
   *[other] { $count } people
  }
groups-services = { $count ->
    [one] 1 service is for it alone
   *[other] { $count } services are for it alone
  }
groups-none = There are no groups yet. Make one, and a service can be opened to just these people.
groups-new = A new group
groups-name = Name
groups-name-hint = Up to 32 letters a-z, digits, - and _, as in access: group:NAME of a route.
groups-about = What it is for
groups-about-one = In one line
groups-make = Make it
groups-one = A group
groups-in-it = Who is in it
groups-empty = Nobody is in it.
groups-leave = Take out
groups-leave-named = Take out: { $name }
groups-join = Add
groups-join-who = Who is to be in it
groups-routes = Services for it alone
groups-route-outside = of hearth.yaml
groups-no-routes = None. A route with access: group:{ $name } is for it alone.
groups-remove = Remove the group
groups-remove-nothing = No service is for this group: nobody loses a way in.
groups-remove-goes = Nobody but admins can then enter
groups-remove-stays = Its members stay, with everything else that they may.
groups-remove-force = They lose the way in, and that is meant
invitations-title = Invitations
invitations-story = A link by which somebody makes an account of their own, with the role that you choose.
invitations-made = The invitation is made
invitations-made-story = This link is shown now and never again. Send it to whom it is for: whoever has it can use it.
invitations-scan = The same link, to be scanned by a phone
invitations-held = Invitations that hold
invitations-no-note = Without a note
invitations-uses-left = { $count ->
    [one] for 1 account
   *[other] for { $count } accounts
  }
invitations-by = by { $name }
invitations-none = There are none. An invitation ends by itself with its days and its uses.
invitations-note = For whom (only you see it)
invitations-days = Days it holds
invitations-uses = Accounts it makes
invitations-make = Make the link
