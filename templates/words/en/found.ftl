# What runs on this machine and is not under Hearth.
found-title = Found here
found-about = What runs on this machine and is not of this home. Looking after a project changes nothing of it: it is written down, and no container is touched.
found-open = Not under Hearth
found-none = There is no Compose project here that is neither looked after nor left alone.
found-look = Look
found-look-at = Look at { $name }
found-adopted = Looked after by this home
found-left = Left alone
found-again = Think again
found-again-name = Think again about { $name }
found-loose = Containers of no project
found-loose-about = Somebody has started each of these by hand, or another program did. A stack with the same image has Hearth look after it.
found-services = { $names } and { $more } more
found-is-open = not under Hearth
found-is-adopted = looked after by this home
found-is-left = left alone
found-adopt = Adopt
found-adopt-name = Adopt { $name }
found-leave = Leave alone
found-leave-name = Leave alone: { $name }
found-release = Look after it no more
found-elsewhere = Another home of this machine has made it.
found-elsewhere-about = Adopt it only if that home is no more: two that look after one project undo each other's work.
found-nothing = 0 changes
found-nothing-about = Adopting writes the project down in hearth.yaml. None of its containers is stopped, replaced or started, and what is there is already as its files want it.
found-something = { $count ->
    [one] Adopting changes nothing; its next start would do one thing
   *[other] Adopting changes nothing; its next start would do { $count } things
}
found-something-about = Its files say something else than what runs. Adopting only writes it down; a plan is shown again before any of this is done.
found-unknown = Its files are not known
found-files = Its Compose files on this machine
found-files-about = With their full paths, one a line, in the order in which they are read. Another manager may keep its own copy inside its container: export it, or copy it from there.
found-adopt-files = Adopt with these files
found-runs = Where to go on
found-runs-about = Its services stand on the home's page, with what they say and what can be done with them.
found-facts = What it is
found-facts-services = Services
found-facts-folder = Folder
found-facts-files = Files
found-not-here = (not here)
found-no-files = Its containers name none.
