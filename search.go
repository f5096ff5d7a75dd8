package watchparty

// MaxSearch is the longest text to search for, in characters.
const MaxSearch = 100

// ValidateSearch checks a text to search for.
func ValidateSearch(q string) error {
	var v fields
	v.search(q)
	return v.err()
}

func (v *fields) search(q string) {
	v.searchable("q", q, MaxSearch)
}
