# What every page of the panel has around it, and words that several pages share.
