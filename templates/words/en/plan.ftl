# A plan, before anything happens; and what two texts have not in common.
plan-title = Plan
plan-turn-on = Turn { $name } on
plan-turn-off = Turn { $name } off
plan-turn-it-on = Turn it on
plan-turn-it-off = Turn it off
plan-only-on = Nothing of what runs would change: only that { $name } is on would be written down.
plan-only-off = Nothing of what runs would change: only that { $name } is off would be written down.
plan-in-the-way = As long as something stands in the way nothing is done.
plan-apply = Apply
plan-later = Keep it for later
plan-discard = Discard
plan-would = What would happen
plan-stays = What stays
plan-made-of = What it is made of
plan-made-by = Made by { $who }
plan-kept = It is applied only if nothing it rests on has changed meanwhile.
plan-unchanged = { $count ->
    [one] One container as before: it stays.
   *[other] { $count } containers as before: they stay.
}
plan-risk-none = Nothing that runs is interrupted.
plan-risk-short-stop = What is replaced does not answer for a moment.
plan-risk-stop = What is stopped does not answer any more.
plan-risk-data = Data is lost for good.
plan-short-stop = short stop
plan-no-stop = without a stop
plan-pull-image = pull the image
plan-build-image = build the image
plan-remove-image = remove the image
plan-create-network = create the network
plan-remove-network = remove the network
plan-create-volume = create the volume
plan-remove-volume = remove the volume, with its data

diff-region = What is other, line by line
diff-as-is = As it is
diff-as-would-be = As it would be
diff-gap = { $count ->
    [one] one line the same
   *[other] { $count } lines the same
}
diff-lines-less = { $count ->
    [one] one line less
   *[other] { $count } lines less
}
diff-lines-more = { $count ->
    [one] one more
   *[other] { $count } more
}
plan-not-made = Its plan could not be made
