# The pages of a service: how it stands and why, its log, its terminal.

service-home = Home
service-tabs = Pages of this service
service-tab-itself = Overview
service-tab-log = Log
service-since = started
service-open = Open
service-more = More
service-of-stack = of the stack { $stack }, always on
service-of-profiles = of the stack { $stack }, in { $profiles }
service-of-nothing = of no stack of this home

service-act-start = Start
service-act-stop = Stop
service-act-restart = Restart
service-act-pull = Pull its image
service-act-update = Update, after a plan
service-act-recreate = Recreate, after a plan
service-act-create = Create it, after a plan
service-plan-update = Update { $name }
service-plan-recreate = Recreate { $name }
service-plan-nothing = There is nothing to do.
service-plan-blocked = As long as something stands in the way nothing is done.

service-why = Why
service-health = Health check
service-health-failed =
    { $count ->
        [one] has failed once
       *[other] has failed { $count } times in a row
    }
service-health-last = the last time with { $code }: { $meaning }
service-health-output = What the health check wrote
service-ended = Ended
service-ended-with = with { $code }: { $meaning }
service-memory = Memory
service-memory-limit = it took more than its limit of { $limit }
service-memory-all = the machine had no more for it
service-engine-says = Docker says
service-restarts = Started again
service-restarted =
    { $count ->
        [one] once by itself (policy { $policy })
       *[other] { $count } times by itself (policy { $policy })
    }
service-waits-healthy = it waits until this is healthy
service-waits-completed = it waits until this has ended well
service-waits-started = it waits until this runs

service-exit-0 = it ended well
service-exit-1 = an error of its own; its log may say which
service-exit-2 = it was called wrongly, or an error of its own
service-exit-125 = Docker could not start it
service-exit-126 = its program cannot be run: it may not be, or is for another processor
service-exit-127 = its program is not there
service-exit-129 = ended by SIGHUP
service-exit-130 = ended by SIGINT, as by Ctrl-C
service-exit-132 = SIGILL: its program is for another processor
service-exit-134 = SIGABRT: it found itself in a state that it could not go on from
service-exit-135 = SIGBUS: it read memory that is not there
service-exit-136 = SIGFPE: it calculated what cannot be calculated
service-exit-137 = SIGKILL: somebody killed it, or it did not stop in time
service-exit-139 = SIGSEGV: it crashed
service-exit-141 = SIGPIPE: who read its output was gone
service-exit-143 = SIGTERM: it was asked to stop
service-exit-memory = the kernel killed it for want of memory
service-exit-signal = ended by signal { $signal }
service-exit-other = an error of its own; what it means its documentation says

service-containers =
    { $count ->
        [one] Container
       *[other] { $count } containers
    }
service-made = What it is made of
service-image = Image
service-digest = Digest
service-ports = Ports
service-port-to = { $port } to { $target } ({ $protocol })
service-mounts = Mounts
service-mount = { $source } at { $target } ({ $kind })
service-mount-read = { $source } at { $target } ({ $kind }, only to read)
service-disk = on the disk at { $at }, { $free } of { $total } free
service-networks = Networks
service-address = { $network }: { $ip }, known as { $names }
service-limits = Limits
service-limit-memory = memory: { $limit }
service-limit-cpus = processors: { $limit }
service-limit-pids = processes: { $limit }
service-limit-none = none of its own: it may use all that the machine has
service-command = Command
service-policy = Restart policy
service-variables = Variables

service-figures = What it uses
service-figures-without = Figures that change need a script. In a terminal:
service-figure-cpu = Processor
service-figure-memory = Memory
service-figure-network = Network, in and out
service-figure-disk = Disk, read and written
service-figure-pids = Processes
service-figure-of = %n of %a
service-figure-minute = %w in the last minute: now %n, at most %m
service-figure-point = .
service-figure-group = ,

service-way = How it is reached
service-way-there = How it is reached stands under Routes, where each way is tried
service-way-none = No route leads to it.
service-way-where = All routes

service-route-give = Give it an address
service-route-change = Change its address, or who may enter
service-route-localhost = Addresses are for domain mode, and this home is in localhost mode. What you save counts once it has a domain.
service-route-how = How it gets one
service-route-host = Name
service-route-host-of = Under { $domain }: photos becomes photos.{ $domain }. A whole name with dots stays as it is, and @ is the domain itself.
service-route-host-hint = A name under the domain of the home, a whole name with dots, or @ for the domain itself
service-route-port = Port inside the container
service-route-port-hint = Where the program listens; its documentation says which
service-route-port-known = It says itself that it listens at { $ports }
service-route-who = Who may enter
service-route-user = Whoever signs in
service-route-lan = Whoever is in the home's network
service-route-lan-or-user = Whoever is in the home's network, and others who sign in
service-route-public = Everybody, without signing in
service-route-admin = Admins
service-route-group = Members of the group { $group }, and admins
service-route-save = Save and plan
service-route-remove = Take it away, after a plan
service-route-open = Open its stack as text
service-route-story = It is written into the stack of this service. Nothing that runs changes before you have seen the plan and applied it.
service-route-saved = It is saved. Of what is on nothing changes by it, so there is nothing to do.

service-log = Log
service-log-title = Log of { $service }
service-log-of = What { $container } wrote
service-log-all = All of the log
service-log-last = the last lines
service-log-nothing = It has written nothing.
service-log-search = Search
service-log-tools = In this log
service-log-before = The match before
service-log-after = The next match
service-log-level = Level
service-log-lines = Loaded
service-log-last-lines = the last { $lines }
service-log-times = Times (UTC)
service-log-nowrap = Long lines in one
service-log-show = Show
service-log-file = Download
service-log-pause = Pause
service-log-go = Go on
service-log-hits =
    { $count ->
        [0] no line of these
        [one] one line of these
       *[other] { $count } lines of these
    }
service-log-hits-now = %n of %a
service-log-no-hit = not found
service-log-turn = The container was replaced: from here on { $container }
service-log-skipped = { $lines } lines came faster than they can be shown; the file has them
service-log-waits = New lines that wait: { $lines }
service-log-lost = Connection lost, trying again
service-level-all = All lines
service-level-info = Without debug
service-level-warn = Warnings and errors
service-level-error = Errors
service-level-stderr = Standard error

service-tab-terminal = Terminal
service-terminal-title = Terminal in { $service }
service-terminal-not-running = It does not run
service-terminal-start-first = A terminal is a program in a container that runs: start the service first.
service-terminal-no-script = A terminal needs a script, and your browser runs none.
service-terminal-not-built = This Hearth was built without the terminal.
service-terminal-elsewhere = On the machine itself:
service-terminal-shell = Shell
service-terminal-shell-any = bash, or else sh
service-terminal-bash = bash
service-terminal-sh = sh
service-terminal-ash = ash
service-terminal-shell-own = another command
service-terminal-own = Command
service-terminal-user = User
service-terminal-user-own = the container’s own
service-terminal-reader = For screen readers
service-terminal-connect = Connect
service-terminal-again = Connect again
service-terminal-leave = Shift and Escape lead out of the terminal.
service-terminal-opening = Opening…
service-terminal-is-open = Open.
service-terminal-ended = The program has ended with { $code }.
service-terminal-over = Closed.
service-terminal-stops = The server stops.
service-terminal-taken = You may not do this any more.
service-terminal-lost = The connection is lost, and the program has ended with it. Connect again begins another.
service-terminal-unreached = The panel was not reached, and nothing was begun. Connect again tries once more.
service-terminal-no-shell = It has none of these programs: choose another command.
service-terminal-paste = Paste this?
service-terminal-paste-words = Lines: { $lines }. Each is run as it comes.
service-terminal-paste-hidden = It has characters in it that are not seen; here they are shown.
service-terminal-paste-text = What would be pasted
service-terminal-paste-yes = Paste
service-terminal-paste-no = Leave it

service-invite = Invite somebody to this alone
service-invite-open = Make a link
service-invite-more = Make another link
service-invite-story = By a link they make an account of their own, which enters { $service } and nothing else that asks for a login. No other service has to be closed to them.
