# The services that somebody may enter.
tiles-story = What is opened to you. Each opens with the login that you have here.
tiles-none = Nothing is opened to you yet. An admin of the home turns services on, and says who may enter each.
