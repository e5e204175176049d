works-title = Work
works-what = What was begun from the panel and the API since Hearth started. Each goes on when its page is closed.
works-all = All work
works-none = Nothing was done since Hearth started.
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
