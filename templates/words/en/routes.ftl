routes-title = Routes
routes-works = Works
routes-fails = Does not work
routes-valid = Valid
routes-not-renewed = Valid, and not renewed
routes-not-valid = Not valid
