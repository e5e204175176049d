# What stands around every page of the panel, and words that several pages share.
panel-skip = To the content
panel-find-label = Services, pages, actions
panel-find = Find a service, a page, an action
panel-find-keys = Ctrl K
panel-mine = My services
panel-account = How you sign in
panel-password = Password
panel-docs = The API, and the guide
panel-guide = Guide
panel-more = More
panel-next = Next page
panel-copy = Copy
panel-sign-out = Sign out
panel-themes = Light or dark
panel-theme-system = System
panel-theme-light = Light
panel-theme-dark = Dark
panel-pages = Pages
panel-double = This is a rehearsal.
panel-double-words = The engine is one in memory: nothing here really runs.
panel-same = The same elsewhere:
panel-back = Back
panel-more-about = More about { $code }

panel-seconds-ago = { $count ->
    [one] 1 second ago
   *[other] { $count } seconds ago
}
panel-minutes-ago = { $count ->
    [one] 1 minute ago
   *[other] { $count } minutes ago
}
panel-hours-ago = { $count ->
    [one] 1 hour ago
   *[other] { $count } hours ago
}
panel-days-ago = { $count ->
    [one] 1 day ago
   *[other] { $count } days ago
}

# How something stands.
state-off = Off
state-missing = Not there
state-running = Running
state-healthy = Healthy
state-starting = Starting
state-unhealthy = Unhealthy
state-restarting = Restarting
state-paused = Paused
state-stopped = Stopped
state-failed = Failed
state-working = Under way
state-done = Done
state-interrupted = Cancelled
state-killed = Killed
state-waits = Waits
state-skipped = Not done
state-taken-back = Taken back

# What a call has refused.
refusal-title = Not done
refusal-heading = That was not done
refusal-words = Nothing was changed.
refusal-gone = There is no such thing here
refusal-gone-words = It may be gone, or the address is not written right.

# What is shown may be from before.
panel-lost = Connection lost, trying again
