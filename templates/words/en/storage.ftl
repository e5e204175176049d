# Images, volumes and networks of this machine.
storage-title = Storage
storage-images = Images
storage-volumes = Volumes
storage-networks = Networks
storage-images-about = What containers are made from, whoever pulled or built it. One that nothing uses only costs room: it is pulled again where it is wanted.
storage-volumes-about = Where containers keep their data. What is removed here is lost, so none is ever chosen for you.
storage-networks-about = What containers reach each other by. One that nothing is on only takes a range of addresses.
storage-sum = { $count } in all
storage-sum-unused = { $count ->
    [0] none unused
   *[other] { $count } unused
}
storage-used = Used
storage-kept = Kept
storage-unused = Unused
storage-nameless = has lost its name to a newer one, or never had any
storage-anonymous = nobody gave it a name
storage-made-for = made for { $project }
storage-lies-at = is { $place } of this machine
storage-internal = without a way out
storage-choose = Choose { $name }
storage-none = There is none.
storage-see = See what would go
storage-plan-title = { $count ->
    [one] One thing would go
   *[other] { $count } things would go
}
storage-plan-refused = That cannot go
storage-plan-about = Nothing of it is used. What comes into use until then is left alone.
storage-plan-data = The data in volumes is lost for good: nothing brings it back but a backup.
storage-goes = What would go
storage-goes-image = image
storage-goes-network = network
storage-goes-volume = volume
storage-data = Its data is lost.
storage-stays = What stays
storage-type-name = To go on, type the volume's name: { $name }
storage-each = Each volume that goes, with its data
storage-apply = { $count ->
    [one] Remove it
   *[other] Remove these { $count }
}
storage-not-now = Not now
storage-unsure = That was not confirmed, and nothing was done.
storage-unsure-about = Every volume that goes is confirmed by its name.
storage-none-chosen = Nothing is chosen: tick what is to go
