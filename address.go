package watchparty

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Limits of addresses, in bytes.
const (
	MaxEmailBytes     = 254 // RFC 5321, 4.5.3.1.3, without the brackets
	maxLocalPartBytes = 64  // RFC 5321, 4.5.3.1.1
)

// Address is an email address in three forms: as it was typed, which people see; the mailbox, which emails are sent to;
// and the key, which is the same for all spellings of an address. The zero value is no address.
//
// A local part is an atom of RFC 5322 in any script, with dots anywhere. Quotes around it are removed. These are
// refused: other characters that need quotes, which no provider assigns and which mislead programs; comments; display
// names; IP literals; and domains that DNS cannot hold. A domain of one label is accepted, since it may belong to a
// private network.
type Address struct {
	typed, local, domain string
}

// domains maps by UTS 46, non-transitional, and keeps what STD 3, RFC 5891 to 5893 and the lengths of DNS allow.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.VerifyDNSLength(true))

// ParseAddress reads what people type, with white space around it. Its error names the field email.
func ParseAddress(text string) (Address, error) {
	a, ok := parseAddress(text)
	if !ok {
		return Address{}, Invalid(FieldError{Field: "email", Code: "email", Message: "must be an email address"})
	}
	return a, nil
}

func parseAddress(text string) (Address, bool) {
	a := Address{typed: strings.TrimSpace(text)}
	if !utf8.ValidString(text) || len(a.typed) > MaxEmailBytes || strings.ContainsFunc(a.typed, hidden) {
		return a, false // UTS 46 would drop invisible characters
	}
	// Input methods of East Asian scripts write @ and letters in another width.
	plain := norm.NFC.String(width.Fold.String(a.typed))
	at := strings.LastIndexByte(plain, '@')
	if at < 0 {
		return a, false
	}
	var ok bool
	if a.local, ok = localPart(plain[:at]); !ok {
		return a, false
	}
	if a.domain, ok = asciiDomain(plain[at+1:]); !ok {
		return a, false
	}
	return a, len(a.quoted())+1+len(a.domain) <= MaxEmailBytes && "@"+a.domain != deletedDomain
}

// localPart removes quotes.
func localPart(text string) (string, bool) {
	if inner, ok := strings.CutPrefix(text, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); !ok {
			return "", false
		}
		text = unescaped(inner)
	}
	if text == "" || strings.ContainsFunc(text, notInLocalPart) {
		return "", false
	}
	if first, _ := utf8.DecodeRuneInString(text); unicode.Is(unicode.M, first) { // it would change the character before
		return "", false
	}
	return text, len(Address{local: text}.quoted()) <= maxLocalPartBytes
}

// unescaped removes backslashes, which may stand before any character in quotes.
func unescaped(text string) string {
	var b strings.Builder
	escaped := false
	for _, r := range text {
		if escaped = r == '\\' && !escaped; !escaped {
			b.WriteRune(r)
		}
	}
	if escaped {
		return "" // it would escape the closing quote
	}
	return b.String()
}

// notInLocalPart reports whether a character is neither a dot nor part of an atom (RFC 5322, 3.2.3; RFC 6531, 3.3), or
// is invisible.
func notInLocalPart(r rune) bool {
	return strings.ContainsRune(` ()<>[]:;@\,"`, r) || !unicode.IsPrint(r) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func asciiDomain(text string) (string, bool) {
	domain, err := domains.ToASCII(text)
	if err != nil || domain == "" || strings.HasSuffix(domain, ".") {
		return "", false
	}
	// An encoded label must be the encoding of what it decodes to, or one domain would have two forms.
	if again, err := domains.ToASCII(domain); err != nil || again != domain {
		return "", false
	}
	if readable, err := domains.ToUnicode(domain); err != nil {
		return "", false
	} else if again, err := domains.ToASCII(readable); err != nil || again != domain {
		return "", false
	}
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	return domain, strings.Trim(last, "0123456789") != "" // an IP address without its brackets
}

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.domain == "" }

// String returns the address as it was typed.
func (a Address) String() string { return a.typed }

// Mailbox is where emails are sent: the local part in NFC and without quotes, which net/email adds where they are
// needed, and the domain in ASCII.
func (a Address) Mailbox() string { return a.local + "@" + a.domain }

// Domain is the domain in ASCII and lower case.
func (a Address) Domain() string { return a.domain }

// ASCII reports whether servers without SMTPUTF8 (RFC 6531) take the address.
func (a Address) ASCII() bool {
	return !strings.ContainsFunc(a.local, func(r rune) bool { return r > unicode.MaxASCII })
}

// Key is the form in which addresses are compared, hashed and unique. It ignores the case of local parts, as providers
// do: a capital letter must not make another person. Letters that only look alike, or that Unicode calls compatible,
// stay different, because their mailboxes are.
func (a Address) Key() string {
	if a.IsZero() {
		return ""
	}
	return foldLocal(a.local) + "@" + a.domain
}

// foldLocal maps each letter to one letter: ß and ss are two mailboxes. A final sigma becomes a sigma, since both have
// one capital.
func foldLocal(local string) string {
	return norm.NFC.String(strings.ReplaceAll(strings.ToLower(local), "ς", "σ"))
}

// Spellings are the usual spellings of the address, in NFC and in NFD: as typed, as emails are sent to it, and with a
// readable domain. They find what was stored before addresses had one form.
func (a Address) Spellings() []string {
	spellings := []string{a.typed, a.Mailbox()}
	if readable, err := domains.ToUnicode(a.domain); err == nil {
		spellings = append(spellings, a.local+"@"+readable)
	}
	for _, spelling := range spellings {
		spellings = append(spellings, norm.NFC.String(spelling), norm.NFD.String(spelling))
	}
	slices.Sort(spellings)
	return slices.Compact(spellings)
}

// quoted returns the local part as SMTP wants it: in quotes if its dots are not between atoms.
func (a Address) quoted() string {
	if strings.HasPrefix(a.local, ".") || strings.HasSuffix(a.local, ".") || strings.Contains(a.local, "..") {
		return `"` + a.local + `"`
	}
	return a.local
}

// AccountKey is the key under which sign-ins to an address are counted, the same for all its spellings. A text that is
// not an address is its own key, after a colon, so that it cannot equal the key of an address.
func AccountKey(typed string) string {
	if a, ok := parseAddress(typed); ok {
		return a.Key()
	}
	return ":" + strings.ToLower(strings.TrimSpace(typed))
}

// AddressPrefix returns the prefix that the keys of all addresses have that begin with the typed text.
func AddressPrefix(typed string) string {
	plain := norm.NFC.String(width.Fold.String(strings.TrimSpace(typed)))
	local, domain, found := strings.Cut(plain, "@")
	if !found {
		return foldLocal(local)
	}
	// An incomplete domain cannot be mapped: its last label may be cut anywhere.
	whole, rest := "", strings.ToLower(domain)
	if dot := strings.LastIndexByte(domain, '.'); dot >= 0 {
		if mapped, ok := asciiDomain(domain[:dot]); ok {
			whole, rest = mapped+".", strings.ToLower(domain[dot+1:])
		}
	}
	return foldLocal(local) + "@" + whole + rest
}
