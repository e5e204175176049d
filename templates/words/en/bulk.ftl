# Several services at once.
bulk-title = What is done with the services that are chosen
bulk-pick = Choose { $name }
bulk-chosen = Those that are chosen:
bulk-count = %n chosen
bulk-start = Start
bulk-restart = Restart
bulk-stop = Stop
bulk-none = Choose none
bulk-elsewhere = With so many services, those that are started, restarted or stopped together are chosen on the page of a profile.
bulk-home = Home
bulk-ask = { $count ->
    [one] Stop one service?
   *[other] Stop { $count } services?
}
bulk-ask-words = What is stopped does not answer any more, and stays stopped until somebody starts it. Its data, its containers and its settings stay as they are.
bulk-ask-yes = { $count ->
    [one] Stop it
   *[other] Stop all { $count }
}
bulk-ask-no = Leave them running
bulk-stops = What stops
bulk-no-container = no container
bulk-stuck = Not all of them
bulk-not-all = { $count ->
    [one] What was begun goes on, as one work. The rest was not begun.
   *[other] What was begun goes on, as { $count } works. The rest was not begun.
}
