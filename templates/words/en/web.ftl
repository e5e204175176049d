# A refusal as a page. What was refused, and the way out, come with the diagnostic's own words.
web-begin = To the beginning
web-meaning = what this means
web-to-cookies = Clear this browser's cookies
web-to-guide = To the guide

# The heading of its code,
web-shared-name = The panel has an address of its own
web-no-admin = This home has no admin yet
web-no-admin-words = It answers nobody until it has one
web-has-admin = This home has an admin already
web-has-admin-words = A setup link is for the first one, once
web-not-found = There is nothing at this address
web-not-found-words = Perhaps the address is not written right, or what was here is gone
web-bad-link = This link does not hold
web-by-admins = Admins make the accounts here
# or of its status.
web-unauthorized = Sign in first
web-forbidden = Not for you
web-nothing = Nothing here
web-too-often = Too often
web-too-large = Too many cookies
web-not-now = Not now
web-bad-request = That does not work
web-failed = Something went wrong
