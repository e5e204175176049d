# Where a service cannot answer. What is one's first sentence, programs get as a line.
gate-over-advice = For whoever looks after this home:
gate-looks-again = This page looks again by itself.

# How it is with the service.
gate-this-service = This service
gate-created = { $service } is about to start
gate-created-words = It is made and waits for its turn: others may have to be ready first.
gate-starting = { $service } is starting
gate-starting-words = It began { $ago } and is not ready yet.
gate-starting-unknown = It has begun and is not ready yet.
gate-unhealthy = { $service } is not well
gate-unhealthy-words = It runs, but its own health check fails. It may recover by itself.
gate-there = { $service } is there
gate-there-words = It began { $ago }, and the way to it opens in a moment.
gate-there-unknown = It has begun, and the way to it opens in a moment.
gate-no-way = { $service } cannot be reached
gate-no-way-words = It began { $ago } and runs, but no way leads to it.
gate-no-way-unknown = It has begun and runs, but no way leads to it.
gate-paused = { $service } is paused
gate-paused-words = Somebody has halted it for a while.
gate-stopped = { $service } is stopped
gate-ended = { $how ->
    [well] It ended without an error (exit code { $code }).
    [signal] It was ended by a signal (exit code { $code }).
   *[error] It ended with an error (exit code { $code }).
}
gate-removed = { $service } is being removed
gate-removed-words = Its container is on its way out.
gate-keeps-stopping = { $service } keeps stopping
gate-again = { $times ->
    [0] It has been started again. Last, it ended before long.
    [1] It has been started again. Last, it ended before long.
   *[other] It has been started again { $times } times. Last, it ended before long.
}
gate-again-ended = { $times ->
    [0] It has been started again.
    [1] It has been started again.
   *[other] It has been started again { $times } times.
} { $how ->
    [well] Last, it ended without an error (exit code { $code }).
    [signal] Last, it was ended by a signal (exit code { $code }).
   *[error] Last, it ended with an error (exit code { $code }).
}
gate-off = { $service } is turned off
gate-off-words = Nothing of it is there to answer.
gate-gone = { $service } is not there
gate-gone-words = The project { $project } has no container of it now.
gate-unseen = { $service } does not answer
gate-unseen-words = What is the matter with it cannot be seen right now.

# What a command does.
gate-logs = shows what it says
gate-logs-last = shows what it said last
gate-logs-end = shows what it said before it ended
gate-start = starts it
gate-restart = starts it anew
gate-unpause = lets it run again
gate-routes-why = shows why
gate-routes-list = lists the names there are
gate-project-ps = shows what it has
gate-up = starts all that is on
gate-up-profile = turns on the profile `{ $profile }`, which it is of
gate-profiles = shows what is on and what is off

# Who may enter.
gate-closed = This address is closed
gate-closed-words = It is for people who have signed in, and there is no way to sign in here.
gate-sign-in = Sign in first
gate-sign-in-words = This address is for people of the home. Open it in a browser of its own, and sign in.
gate-not-allowed = Not for you
gate-not-allowed-words = { $kind ->
    [group] You are signed in as { $user }, and this address is for the group { $group }.
    [admin] You are signed in as { $user }, and this address is for admins.
   *[others] You are signed in as { $user }, and this address is for others.
}
gate-only-words = You are signed in as { $user }, and this account is for { $services } alone.
gate-not-allowed-way = Ask an admin of the home, or sign out and come back as somebody else.
gate-my-services = To my services
gate-sign-out = Sign out
gate-refused = Only from the home network
gate-refused-words = This address answers only from the home network, and you come from elsewhere.
gate-panel-away = Signing in is not possible at the moment
gate-panel-away-words = Who may enter cannot be asked right now, so nobody is let in who is not known already.
gate-panel-away-serve = knows who may enter, and does not answer gate

# What cannot be passed on.
gate-too-large = Too many cookies
gate-too-large-words = The browser sends more with each request than any service is to be sent.
gate-too-large-cookies = Most of it is cookies that an application has set for the whole domain. The largest: { $cookies }.
gate-too-large-way = Delete the cookies of this domain in the browser's settings, or have them cleared at { $address }.
gate-too-large-alone = Delete the cookies of this domain in the browser's settings.
gate-parameters = This address holds a semicolon
gate-parameters-words = On this host the path decides who enters, and some servers read a path with a `;` as another one. So none is passed on.
gate-parameters-host = of its own, without `path:` in its route, lets the program have such paths
gate-unknown = No service has this name
gate-unknown-words = Nothing in this home answers as what was asked for. The address may be mistyped.
gate-unknown-host = Nothing in this home answers as { $host }. The address may be mistyped.
