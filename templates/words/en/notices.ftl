# What happened while nobody looked.
notices-title = Notifications
notices-story = What happened while nobody looked. The same again within a day is counted; after 90 days they go.
notices-bell = { $count ->
    [0] Notifications: nothing new
    [one] Notifications: 1 is new
   *[other] Notifications: { $count } are new
}
notices-none = Nothing has happened that you would have to know.
notices-read = Read
notices-read-named = Mark as read: { $name }
notices-read-all = Mark all as read
notices-times = { $count ->
    [one] once
   *[other] { $count } times
}
notices-warning = Attention
notices-work-failed = This work failed
notices-service-failed = It has failed
notices-service-restarting = It ends again and again
notices-service-unhealthy = Its health check fails
notices-certificate = This certificate needs somebody
notices-disk = The disk is nearly full
notices-signed-in = Somebody signed in as you from an address where you never did
notices-other = Something happened
