package config

// Kind is what the configuration has to know about one sort of provider. The composition root fills it.
type Kind struct {
	Name string

	// Settings returns a pointer to a new settings struct. The keys of a provider's block that are not common to all
	// providers are decoded into it, by the struct tags that the table below lists. Nil = there are no settings.
	//
	//	yaml:"name"         the key; "-" leaves the field out; ",inline" takes an embedded struct's fields in
	//	default:"30s"       the value of a key that is not written
	//	required:"true"     a key that must be written and not be empty
	//	enum:"a,b"          the only values that are allowed
	//	format:"url"        text of a form: url, email or host
	//	doc:"What it is."   the description in the JSON Schema
	//
	// A pair of text fields "x_file" and "x_env" is the secret "x": at most one of them is written, exactly one where
	// x_file is required, and the inline spelling "x" is refused. A field "y_file" without a partner is the path of
	// a file that must exist.
	Settings func() any

	// Validate reports the rules that tags cannot express: the path below the block, what is wrong, and a hint, which
	// may be empty. It gets what Settings returned, decoded. Nil = there are no such rules.
	Validate func(settings any, report func(path, what, hint string))

	// Unproven names what a block stands on where that was proved against no server, only written from documentation; empty
	// = it was proved. The block is warned of until it says allow_unproven. It gets what Settings returned, decoded. Nil = it was.
	Unproven func(settings any) string

	Ref    []string // fields of a client's ref; a trailing "?" marks an optional one
	Fields []string // fields of the bundle that vault.fields may rename; empty = any
}
