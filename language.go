package watchparty

// Language is a BCP 47 tag of a language that emails are written in.
type Language string

const (
	English Language = "en"
	German  Language = "de"
)

// Languages lists the languages that emails are written in. The first one is the default.
func Languages() []Language { return []Language{English, German} }
