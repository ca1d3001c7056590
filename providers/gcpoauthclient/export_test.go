package gcpoauthclient

// NameOf and LabelOf let tests turn labels into ids and back.
var (
	NameOf  = nameOf
	LabelOf = labelOf
)
