# The audit.
audit-title = Audit
audit-story = Who did what, and what was refused. Each entry is bound to the one before, so that nothing can be changed afterwards without being found.
audit-story-own = What you did, and what you were refused. Admins see everybody's.
audit-filter = Which entries
audit-who = Who
audit-who-hint = ada, or jo*
audit-action = What
audit-action-hint = users.*, verbs.up
audit-service = Service
audit-search = Text
audit-outcome = Outcome
audit-kind = By what
audit-since = From
audit-until = Until before
audit-any = Any
audit-show = Show
audit-show-all = Show all
audit-csv = Take as CSV
audit-jsonl = Take as JSON lines
audit-verify = Look whether it is whole
audit-none = Nothing was entered yet.
audit-none-fits = No entry is like that.
audit-details = Details
audit-done = Done
audit-begun = Begun
audit-refused = Refused
audit-failed = Failed
audit-user = A person
audit-token = An API token
audit-terminal = The terminal
audit-system = Hearth itself
audit-nobody = Somebody unknown
audit-fact-action = Action
audit-fact-object = On
audit-fact-from = From
audit-fact-kind = By
audit-fact-took = Took
audit-fact-request = Request
audit-fact-detail = Exactly
audit-fact-number = Number and hash
audit-sound = Every entry is as it was written, and none is gone
audit-broken = The audit is not as it was written
audit-sound-words = From number { $first } to { $last }.
audit-note = Write this down somewhere else
audit-note-story = Number and hash of the last entry. Later it shows that nothing up to here was changed, whoever could write to the database:
audit-broken-story = Somebody has changed the database past Hearth. Put back a copy, and look who could.
audit-said-account = { $tried ->
    [yes] tried to change
   *[no] changed
  } their own account
audit-said-adopt = { $tried ->
    [yes] tried to adopt
   *[no] adopted
  } the project { $what }
audit-said-cut = cut off what was older than the home keeps
audit-said-export = { $tried ->
    [yes] tried to take
   *[no] took
  } entries of the audit out
audit-said-renew = { $tried ->
    [yes] tried to renew
   *[no] renewed
  } certificates { $what }
audit-said-exec-ask = { $tried ->
    [yes] tried to ask
   *[no] asked
  } to run a program in a container
audit-said-exec = { $tried ->
    [yes] tried to run
   *[no] ran
  } a program in a container
audit-said-exec-end = ended a program in a container
audit-said-factor-begin = { $tried ->
    [yes] tried to begin
   *[no] began
  } to set up an app with codes
audit-said-factor = { $tried ->
    [yes] tried to set up
   *[no] set up
  } an app with codes
audit-said-factor-off = { $tried ->
    [yes] tried to turn off
   *[no] turned off
  } their app with codes
audit-said-codes = { $tried ->
    [yes] tried to make
   *[no] made
  } new recovery codes
audit-said-sign-in = { $tried ->
    [yes] tried to sign in
   *[no] signed in
  } { $what }
audit-said-sign-out = signed out
audit-said-refresh = { $tried ->
    [yes] tried to go on
   *[no] went on
  } with a program's login
audit-said-register = { $tried ->
    [yes] tried to make
   *[no] made
  } an account of their own { $what }
audit-said-set-up = { $tried ->
    [yes] tried to set up
   *[no] set up
  } the home
audit-said-group-add = { $tried ->
    [yes] tried to make
   *[no] made
  } the group { $what }
audit-said-group-change = { $tried ->
    [yes] tried to change
   *[no] changed
  } the group { $what }
audit-said-group-remove = { $tried ->
    [yes] tried to remove
   *[no] removed
  } the group { $what }
audit-said-invite = { $tried ->
    [yes] tried to make
   *[no] made
  } an invitation
audit-said-invite-end = { $tried ->
    [yes] tried to end
   *[no] ended
  } an invitation
audit-said-names = { $tried ->
    [yes] tried to change
   *[no] changed
  } what they are called
audit-said-own-password = { $tried ->
    [yes] tried to change
   *[no] changed
  } their password
audit-said-passkey = { $tried ->
    [yes] tried to make
   *[no] made
  } a passkey { $what }
audit-said-passkey-remove = { $tried ->
    [yes] tried to remove
   *[no] removed
  } a passkey of theirs
audit-said-apply = { $tried ->
    [yes] tried to apply
   *[no] applied
  } the plan { $what }
audit-said-plan = { $tried ->
    [yes] tried to make
   *[no] made
  } a plan for { $what }
audit-said-enable = { $tried ->
    [yes] tried to turn on
   *[no] turned on
  } { $what }
audit-said-disable = { $tried ->
    [yes] tried to turn off
   *[no] turned off
  } { $what }
audit-said-route = { $tried ->
    [yes] tried to change
   *[no] changed
  } the route of { $what }
audit-said-route-remove = { $tried ->
    [yes] tried to take away
   *[no] took away
  } the route of { $what }
audit-said-session-end = { $tried ->
    [yes] tried to end
   *[no] ended
  } a session of theirs
audit-said-sessions-end = { $tried ->
    [yes] tried to end
   *[no] ended
  } their other sessions
audit-said-sessions-of = { $tried ->
    [yes] tried to sign
   *[no] signed
  } { $what } out everywhere
audit-said-session-of = { $tried ->
    [yes] tried to end
   *[no] ended
  } a session of { $what }
audit-said-token = { $tried ->
    [yes] tried to make
   *[no] made
  } the API token { $what }
audit-said-token-end = { $tried ->
    [yes] tried to end
   *[no] ended
  } an API token of theirs
audit-said-token-of = { $tried ->
    [yes] tried to end
   *[no] ended
  } an API token of { $what }
audit-said-passkey-of = { $tried ->
    [yes] tried to take
   *[no] took
  } a passkey of { $what } away
audit-said-unlink = { $tried ->
    [yes] tried to unlink
   *[no] unlinked
  } { $what } from the provider
audit-said-settings = { $tried ->
    [yes] tried to save
   *[no] saved
  } hearth.yaml
audit-said-setting = { $tried ->
    [yes] tried to change
   *[no] changed
  } the setting { $what }
audit-said-setting-reset = { $tried ->
    [yes] tried to reset
   *[no] reset
  } the setting { $what }
audit-said-stack-save = { $tried ->
    [yes] tried to save
   *[no] saved
  } the stack { $what }
audit-said-stack-delete = { $tried ->
    [yes] tried to delete
   *[no] deleted
  } the stack { $what }
audit-said-user-add = { $tried ->
    [yes] tried to add
   *[no] added
  } the account { $what }
audit-said-user-change = { $tried ->
    [yes] tried to change
   *[no] changed
  } the account { $what }
audit-said-user-password = { $tried ->
    [yes] tried to give
   *[no] gave
  } { $what } another password
audit-said-user-remove = { $tried ->
    [yes] tried to remove
   *[no] removed
  } the account { $what }
audit-said-user-factor = { $tried ->
    [yes] tried to turn off
   *[no] turned off
  } the second factor of { $what }
audit-said-up = { $tried ->
    [yes] tried to turn on
   *[no] turned on
  } { $what }
audit-said-down = { $tried ->
    [yes] tried to turn off
   *[no] turned off
  } { $what }
audit-said-mode = { $tried ->
    [yes] tried to switch
   *[no] switched
  } the mode to { $what }
audit-said-pull = { $tried ->
    [yes] tried to pull
   *[no] pulled
  } images of { $what }
audit-said-restart = { $tried ->
    [yes] tried to restart
   *[no] restarted
  } { $what }
audit-said-start = { $tried ->
    [yes] tried to start
   *[no] started
  } { $what }
audit-said-stop = { $tried ->
    [yes] tried to stop
   *[no] stopped
  } { $what }
audit-said-update = { $tried ->
    [yes] tried to update
   *[no] updated
  } { $what }
audit-said-cancel = { $tried ->
    [yes] tried to cancel
   *[no] cancelled
  } a work
audit-said-work-end = finished: { $what }
audit-said-keys = made new keys for what is signed
audit-said-enter = { $tried ->
    [yes] tried to enter
   *[no] entered
  } a service
audit-said-lost = could not enter every refusal: there were too many
audit-said-shared = asked for a page under a name at which nobody signs in
audit-said-nothing = asked for what there is not
audit-said-discard = { $tried ->
    [yes] tried to discard
   *[no] discarded
  } the plan { $what }
audit-said-draft = { $tried ->
    [yes] tried to look at
   *[no] looked at
  } what the stack { $what } would do
audit-said-checked = { $tried ->
    [yes] tried to check
   *[no] checked
  } the stack { $what }
audit-said-stack-restore = { $tried ->
    [yes] tried to restore
   *[no] restored
  } a version of the stack { $what }
audit-said-variable = { $tried ->
    [yes] tried to set
   *[no] set
  } the variable { $what }
audit-said-variable-unset = { $tried ->
    [yes] tried to take out
   *[no] took out
  } the variable { $what }
audit-said-secret = { $tried ->
    [yes] tried to write
   *[no] wrote
  } the secret file { $what }
audit-said-clearing = { $tried ->
    [yes] tried to make
   *[no] made
  } a plan that clears up images, volumes or networks
audit-said-leave = { $tried ->
    [yes] tried to leave
   *[no] left
  } the project { $what } alone
audit-said-undo = { $tried ->
    [yes] tried to take back
   *[no] took back
  } what was decided about the project { $what }
audit-said-release = { $tried ->
    [yes] tried to look after
   *[no] looked after
  } the project { $what } no more
audit-said-think-again = { $tried ->
    [yes] tried to think
   *[no] thought
  } about the project { $what } again
audit-said-authority = { $tried ->
    [yes] tried to make
   *[no] made
  } a new authority of the home's own
audit-said-setup = { $tried ->
    [yes] tried to go on
   *[no] went on
  } in the setup
audit-said-setup-way = { $tried ->
    [yes] tried to choose
   *[no] chose
  } in the setup how services are reached
audit-said-setup-apply = { $tried ->
    [yes] tried to carry out
   *[no] carried out
  } the plan of the setup
audit-said-setup-end = { $tried ->
    [yes] tried to end
   *[no] ended
  } the setup
audit-said-theme = { $tried ->
    [yes] tried to choose
   *[no] chose
  } light or dark
audit-said-cookies = { $tried ->
    [yes] tried to clear
   *[no] cleared
  } the browser's cookies
audit-said-notices = { $tried ->
    [yes] tried to mark
   *[no] marked
  } notifications as read
audit-said-link = { $tried ->
    [yes] tried to link
   *[no] linked
  } their account with the provider
audit-said-unlink-own = { $tried ->
    [yes] tried to unlink
   *[no] unlinked
  } their account from the provider
audit-said-passkey-begin = { $tried ->
    [yes] tried to begin
   *[no] began
  } to make a passkey
audit-said-passkey-rename = { $tried ->
    [yes] tried to rename
   *[no] renamed
  } a passkey of theirs
audit-said-passkey-login = { $tried ->
    [yes] tried to begin
   *[no] began
  } to sign in with a passkey
audit-said-ran = { $tried ->
    [yes] tried to run
   *[no] ran
  } { $what }
audit-said-other = { $tried ->
    [yes] tried
   *[no] did
  } { $what }
