works-title = Work
works-what = What was done, from here, the API and the terminal. It goes on when its page is closed.
works-all = What was done
works-now = Since Hearth started
works-before = Before, and from the terminal
works-older = Older
work-gone = This work is not known any more
work-gone-words = Works that run are remembered, and the last fifty since Hearth started. How others ended is in the audit.
work-gone-audit = See how works ended
works-none = Nothing else was done yet.
works-first = Turn a profile on
works-by = By { $who }
works-by-one = by { $who }
works-plan = Carry out a plan
works-steps = Steps
works-no-step = There is no step yet.
works-steps-done = Steps that are done
works-steps-of = { $count ->
    [one] { $done } of 1 step
   *[other] { $done } of { $count } steps
}
works-cancel = Cancel
works-ending = It is being ended in order: what has begun is finished or taken back.
works-looking = It is being looked at what there is to do.
works-under-way = Under way. It goes on when this page is closed.
