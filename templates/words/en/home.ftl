home-title = Home
home-glance = At a glance
home-attention = Needs attention
home-more = and { $count } more, below
home-open = Open
home-open-one = Open { $name }
home-turn-on = Turn on
home-turn-off = Turn off

# The home in one sentence.
home-away = Docker does not answer
home-away-words = { $told }. What is shown is from before.
home-unread = The stacks cannot be read
home-unread-words = { $told }. What runs goes on. Profiles are here again once it is mended, under Stacks.
home-unread-file = hearth.yaml cannot be read
home-unread-file-words = { $told }. What runs goes on; what is shown of the home is from before.
home-empty = Nothing runs yet
home-empty-words = Turn a profile on: what it would do is shown before anything happens.
home-well = All is well
home-wrong = { $count ->
    [one] One service needs you
   *[other] { $count } services need you
}
home-words = { $count ->
    [one] Of 1 service: { $states }.
   *[other] Of { $count } services: { $states }.
}

# Profiles, and what else has services.
home-always = Always on
home-lost = In no stack any more
home-running = What runs
home-project = { $name }, a project of its own
# 5 running
home-count = { $count } { $state }
home-services = { $count ->
    [one] 1 service
   *[other] { $count } services
}
home-up-to = up to { $memory }
home-more-than = more than { $memory }
home-used = { $memory } of memory in use
home-needs = turns on { $profiles } too

home-machine = This machine
home-load = Load
home-memory = Memory
home-disk = Disk
home-command-more = { $command } and { $count } more
home-no-works = Nothing was done since Hearth started.

home-others = { $count ->
    [one] One project here is not under Hearth
   *[other] { $count } projects here are not under Hearth
}
