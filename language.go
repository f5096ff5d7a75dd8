package watchparty

// Language is what somebody reads, as a BCP 47 tag.
type Language string

const (
	English Language = "en"
	German  Language = "de"
)

// Languages are those that emails are written in; the first one is for everybody else.
func Languages() []Language { return []Language{English, German} }
