# A profile.
profile-on = A profile, on
profile-off = A profile, off
profile-services = Services
profile-facts = What it is
profile-facts-services = Services
profile-facts-needs = Turns on too
profile-facts-memory = Memory
profile-needs-none = nothing else
profile-memory-open = no service of it has a limit
profile-memory-most = { $amount } at most, all limits together
profile-memory-some = { $amount } for those with a limit; some have none
