# Stacks: their list, one as text, and what it said before.
stacks-title = Stacks
stacks-about = Each is a file of the home, a plain Compose file, with services that belong together.
stacks-new = New stack
stacks-variables = Variables
stacks-profiles = Profiles:
stacks-services = Services:
stacks-errors = { $count ->
    [one] One mistake:
   *[other] { $count } mistakes:
}
stacks-none = There is no stack yet. A new one can begin as a copy of one that ships with Hearth.

stack-about = Saving changes the file and nothing that runs: that is for Preview plan to show, and for turning a profile on, or its service up, to do.
stack-history = History
stack-name = Name
stack-name-hint = Lower-case letters, digits, dashes and underscores. It becomes the name of the file.
stack-text = The stack, as YAML
stack-plain-hint = Check tells what is wrong and where; nothing is saved by it.
stack-keys-hint = Tab indents. To leave the editor by keyboard press Escape, then Tab. Ctrl+Space offers what can stand here.
stack-mistakes = What is wrong
stack-no-mistakes = Nothing.
stack-not-checked = Nothing that is known: Check looks it through.
stack-mistake = Mistake
stack-warning = Warning
stack-line = line
stack-lines = The lines that are meant
stack-message = Why (a message for the history)
stack-message-git = What is saved is a commit of this file alone, in your name, with this message.
stack-message-kept = What is saved is kept as a version with this message.
stack-save = Save
stack-plan = Preview plan
stack-check = Check
stack-saved = Saved, as version { $id }.
stack-saved-same = Saved.
stack-sound = Nothing is wrong with it. It is not saved yet.
stack-sound-but = It can be saved, with the warnings below.
stack-older = This is the text of { $at }. It is not saved yet.
stack-restores = Restore the text of { $at }
stack-draft = What it would do:
stack-draft-about = As if it were saved and everything that is on brought up. Nothing was saved or changed.
stack-conflict = The file has changed meanwhile
stack-gone = The file was deleted meanwhile
stack-conflict-about = Nothing was saved. On the left is the file as it is now, on the right what you typed, which still stands below, where the two can be brought together by hand and saved.
stack-conflict-same = What you typed is what stands there now.
stack-take-mine = Take mine
stack-take-file = Take the file
stack-typed = What you typed
stack-typed-about = It is not in the editor any more and was not saved. Copy from it what you need.
stack-shipped = Begin with
stack-skeleton = An example with comments
stack-delete = Delete this stack
stack-delete-goes = The file goes.
stack-delete-stays = What runs of it goes on, until it is removed as an orphan. Volumes and their data stay, and so does the history, from which the stack can be restored.
stack-delete-name = Type { $name } to delete it
stack-name-differs = Nothing was deleted: the name is { $name }.

history-title = History of { $name }
history-git = Commits of the home's git repository that changed this file.
history-kept = Versions of this file that were saved here. Where the home is a git repository, they are commits.
history-versions = Versions
history-no-message = No message
history-by-hand = by hand
history-none = Nothing was saved here yet.
history-older = Older ones
history-against = Then and now
history-same = It is what stands there now.
history-deleted = The stack was deleted with it.
history-back = Back to it
history-back-about = Its text is saved as it is, a new version like any other; nothing that runs is changed by that. To see first what it would do, open it in the editor and preview the plan.
history-restore = Restore
history-editor = Open in the editor

diff-on-disk = The file
diff-typed = What you typed
diff-then = Then
diff-now = Now
