# What people see of accounts before they are signed in.
auth-sign-in = Sign in
auth-to-service = Sign in to go on to { $service }.
auth-name = User name
auth-name-hint = Up to 32 letters a-z, digits, dots, `-` and `_`, beginning with a letter or digit. Capitals are the same as small letters.
auth-password = Password
auth-password-hint = 10 characters or more. Four words that have nothing to do with each other are a good one.
auth-once-more = The same once more
auth-email = E-mail
auth-optional = can be left out
auth-with-provider = Sign in with { $provider }
auth-no-account = No account yet?
auth-make-one = Make one
auth-have-one = You have one already?
auth-make-account = Make this account
auth-forgotten = Forgotten it? An admin of the home gives a new password.
auth-go-on = Go on
auth-sign-in-own = Sign in with an account that you have

# The first admin, from the one-time link.
auth-setup = Set up this home
auth-setup-over = Hearth is new here
auth-setup-words = You become its first admin: whoever looks after the services, and lets others in. Everybody else gets an account of their own from you.

# An account of one's own.
auth-open = Make an account
auth-open-words = This home is open: whoever reaches this page may have an account of their own.
auth-invited = You are invited
auth-invited-words = Somebody who looks after this home has sent you the link. Choose a name and a password of your own.
auth-invited-as = { $role ->
    [admin] You become an admin: you look after everything, people and settings too.
    [operator] You become an operator: you start, stop and update the services.
    [viewer] You become a viewer: you see all services.
   *[member] You become a member: you use the services that are opened to you.
}
auth-invited-only = You become a member: you use { $services }.
auth-invited-until = The invitation holds until { $day }, { $time } UTC.

# With a passkey.
auth-passkey = Use a passkey
auth-passkey-none = No passkey was used: it was cancelled, took too long, or there is none for this home on this device.
auth-passkey-there = This device has a passkey for this account already.

# After the password, for who has a second factor.
auth-second = One more step
auth-second-words = That was right. Now the code that your authenticator app shows for Hearth, or one of your recovery codes.
auth-code = Code
auth-as-another = Sign in as somebody else

# An app with codes, set up before the first login.
auth-app = An app with codes
auth-app-words = A second factor: besides your password you show a code that an app on your phone knows. You need one (FreeOTP, Aegis, Google Authenticator, 1Password, ...), and your password.
auth-app-leave = Leave it as it is
auth-app-scan = Scan this with an authenticator app on your phone, within ten minutes. It then shows a code for Hearth, another one every half minute.
auth-app-type = No camera? Type this key into the app:
auth-app-code = The code that the app shows
auth-app-set-up = Set it up
auth-app-anew = Begin anew
auth-app-done = That is set up
auth-app-done-words = From now on a code of the app is asked for whenever you sign in with your password. Each of these recovery codes is good once in its place, for a day without your phone. They are shown now and never again: write them down.
auth-app-on = You have an app with codes
auth-app-on-words = A code of it is asked for besides your password. New recovery codes, another phone, or away with it: that is under **How you sign in**.
auth-app-on-way = How you sign in
auth-new-codes = New recovery codes
auth-new-codes-words = Those until now have ended. Each of these is good once in place of a code of the app, for a day without your phone. They are shown now and never again: write them down.
auth-set-up-app = Set up an app with codes

# The way out.
auth-signed-out = Signed out
auth-you-are-out = You are signed out
auth-out-words = Here, and in every service of the home that this browser was signed in to.
auth-in-again = Sign in again
auth-out-ask = Sign out?
auth-out-ask-words = This ends your session at the panel, and on every service of the home.
auth-out-everywhere = Sign out everywhere
auth-out-everywhere-words = Your session at the panel, and on every service of the home, has ended.
auth-stay = Stay signed in

# On the way from the login to a service.
auth-on-to = Go on to { $host }
auth-you-are-in = You are signed in
auth-you-are-in-words = If nothing happens, go on by the link.
auth-too-long = That took too long
auth-too-long-words = The way to the service is good for ten minutes. Open the service again: you are signed in.
auth-to-panel = To the panel
auth-other-browser-words = The way from the login to here is good once, for a minute, in the browser that asked for it.
auth-try-again = Try again

# A browser with too many cookies.
auth-cookies = Cookies
auth-cookies-ask = Clear this browser's cookies?
auth-cookies-why = Every application of this domain can set cookies that are sent to all others too. Where they have become too many or too long, no page answers any more.
auth-cookies-what = This has the browser forget all cookies of the domain: you are signed out here and in every application of the home.
auth-cookies-clear = Clear the cookies
auth-cookies-cleared = The cookies are cleared
auth-cookies-cleared-words = This browser has forgotten all cookies of this domain. If nothing has changed, delete them in its settings: some browsers do not do it for a page.
