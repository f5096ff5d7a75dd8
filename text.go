package watchparty

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Text that people write follows one of two rules.
//
// A line is a name, a title or a reason: it is shown on one line beside other text. It must not change how that text is
// read, and two lines that look the same should be the same. So it has no control characters, line breaks,
// bidirectional controls or invisible characters, except those that shape their neighbours: joiners and variation
// selectors in emoji and in the scripts that need them. It does not start with a combining mark.
//
// Prose is a message or a description: it is shown in a block of its own. It may have several lines, and bidirectional
// controls whose effect ends on the line where it begins.
//
// Neither may consist of invisible characters alone.

// line applies the rule of lines. The limits are in characters.
func (v *fields) line(field, value string, low, high int) {
	v.text(field, value, low, high, lineFault(value))
}

// prose applies the rule of prose. The limits are in characters.
func (v *fields) prose(field, value string, low, high int) {
	v.text(field, value, low, high, proseFault(value))
}

func (v *fields) text(field, value string, low, high int, fault *textFault) {
	v.length(field, value, low, high)
	if value != "" && (fault == nil || fault == faultInvisible) && !strings.ContainsFunc(value, shows) {
		fault = faultBlank
	}
	v.fault(field, fault)
}

// searchable accepts every text that can be stored: a text with characters that a line must not have finds nothing.
func (v *fields) searchable(field, value string, high int) {
	v.length(field, value, 0, high)
	v.uncontrolled(field, value)
}

func (v *fields) uncontrolled(field, value string) {
	switch {
	case strings.ContainsFunc(value, breaksLine):
		v.fault(field, faultLines)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		v.fault(field, faultControl)
	}
}

func (v *fields) fault(field string, fault *textFault) {
	if fault != nil {
		v.check(false, field, fault.code, fault.message)
	}
}

// normalLine returns the form in which a line is checked and stored: NFC, without white space and zero-width characters
// at its edges.
func normalLine(s string) string {
	return strings.TrimFunc(norm.NFC.String(s), func(r rune) bool { return unicode.IsSpace(r) || zeroWidth(r) })
}

// normalProse returns the form in which prose is checked and stored.
func normalProse(s string) string { return strings.TrimSpace(s) }

// ShownLine makes a valid line of a text whose author cannot be asked to correct it, such as a header. It removes
// characters that a line must not have, and cuts the text to high characters.
func ShownLine(s string, high int) string {
	marks := 0
	kept := []rune(strings.Map(func(r rune) rune {
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if r == utf8.RuneError || unsafeInLine(r) != nil || hidden(r) || marks > maxMarks {
			return -1
		}
		return r
	}, s))
	return normalLine(string(kept[:min(len(kept), high)]))
}

// maxMarks is how many combining marks a character may have: more than any script needs, and too few to reach other
// lines.
const maxMarks = 8

type textFault struct{ code, message string }

var (
	faultBlank     = &textFault{"blank", "must not consist of white space"}
	faultControl   = &textFault{"control_character", "must not contain control characters"}
	faultLines     = &textFault{"line_break", "must be one line"}
	faultBidi      = &textFault{"bidi_control", "must not contain characters that change the direction of text"}
	faultOpenBidi  = &textFault{"bidi_control", "must end each change of the text's direction on the same line"}
	faultInvisible = &textFault{"invisible_character", "must not contain invisible characters"}
	faultMarks     = &textFault{"combining_mark", "must not have many combining marks on one character"}
	faultMark      = &textFault{"combining_mark", "must not start with a combining mark"}
)

func lineFault(s string) *textFault {
	if !utf8.ValidString(s) {
		return faultControl
	}
	runes := []rune(s)
	marks := 0
	for i, r := range runes {
		if fault := unsafeInLine(r); fault != nil {
			return fault
		}
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if marks > maxMarks {
			return faultMarks
		}
		if hidden(r) && !shapes(runes, i) {
			return faultInvisible
		}
	}
	if len(runes) > 0 && unicode.Is(unicode.M, runes[0]) {
		return faultMark
	}
	return nil
}

// unsafeInLine returns what is wrong with a character anywhere in a line.
func unsafeInLine(r rune) *textFault {
	switch {
	case breaksLine(r):
		return faultLines
	case unicode.IsControl(r) || noncharacter(r):
		return faultControl
	case unicode.Is(unicode.Bidi_Control, r):
		return faultBidi
	}
	return nil
}

func proseFault(s string) *textFault {
	if !utf8.ValidString(s) {
		return faultControl
	}
	var open []rune // what closes the open bidirectional controls of this line, the innermost last
	for _, r := range s {
		switch {
		case r == '\n' || unicode.In(r, unicode.Zl, unicode.Zp):
			if len(open) > 0 {
				return faultOpenBidi
			}
		case r == '\t' || r == '\r':
		case unicode.IsControl(r) || noncharacter(r):
			return faultControl
		case bidiCloser[r] != 0:
			open = append(open, bidiCloser[r])
		case r == popFormatting || r == popIsolate:
			if len(open) == 0 || open[len(open)-1] != r {
				return faultOpenBidi
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return faultOpenBidi
	}
	return nil
}

const (
	popFormatting = '\u202c'
	popIsolate    = '\u2069'
)

// bidiCloser maps each bidirectional control that reaches beyond itself to the one that ends it (UAX #9, 2).
var bidiCloser = map[rune]rune{
	'\u202a': popFormatting, '\u202b': popFormatting, '\u202d': popFormatting, '\u202e': popFormatting,
	'\u2066': popIsolate, '\u2067': popIsolate, '\u2068': popIsolate,
}

// breaksLine reports whether a line always ends after a character (UAX #14, classes BK, CR, LF and NL).
func breaksLine(r rune) bool { return strings.ContainsRune("\n\v\f\r\u0085\u2028\u2029", r) }

func noncharacter(r rune) bool { return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef }

// hidden reports whether a character has no shape of its own.
func hidden(r rune) bool {
	return r == brailleBlank || r == nullNotehead || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point,
		unicode.Variation_Selector) &&
		!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// shows reports whether a character is visible.
func shows(r rune) bool {
	return !hidden(r) && !unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.Is(unicode.Co, r)
}

// Symbols that are drawn as nothing.
const (
	brailleBlank = '\u2800'
	nullNotehead = '\U0001d159'
)

// zeroWidth reports whether a character is invisible at the edges of a text. Such characters are often pasted by
// accident.
func zeroWidth(r rune) bool {
	return r == brailleBlank || r == '\u200b' || r == '\u2060' || r == '\ufeff' || r == '\u00ad'
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	blackFlag          = '\U0001f3f4'
	firstTag           = '\U000e0020'
	cancelTag          = '\U000e007f'
	informationSource  = 'ℹ' // a letter with an emoji form
)

// shapes reports whether the hidden character at i changes how its neighbours look, as it does in emoji and some
// scripts. Elsewhere it would only make two texts different that look the same.
func shapes(text []rune, i int) bool {
	if i == 0 {
		return false
	}
	before, after := text[i-1], rune(0)
	if i+1 < len(text) {
		after = text[i+1]
	}
	switch r := text[i]; {
	case r == zeroWidthJoiner && virama(before): // also at a word's end, where it makes a letter's old form
		return true
	case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
		return shows(after) && (joins(base(text[:i])) || virama(before) || virama(after))
	case unicode.Is(unicode.Variation_Selector, r):
		return shows(before) && varies(before)
	case r >= firstTag && r <= cancelTag: // the flags of England, Scotland and Wales
		begun := before == blackFlag || before >= firstTag && before < cancelTag
		return begun && (r == cancelTag || after >= firstTag && after <= cancelTag)
	}
	return false
}

// varies reports whether a character can have standardised variants: symbols and digits, and the letters of some
// scripts.
func varies(r rune) bool {
	return !unicode.IsLetter(r) || r == informationSource ||
		unicode.In(r, unicode.Han, unicode.Mongolian, unicode.Myanmar, unicode.Phags_Pa)
}

// joinedLetters are the scripts whose letters join, so that a joiner or non-joiner between two of them is visible.
var joinedLetters = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mandaic, unicode.Mongolian, unicode.Nko, unicode.Phags_Pa, unicode.Adlam,
}

// joins reports whether a joiner after r can be visible: in an emoji, and in a script whose letters join (RFC 5892, A.1
// and A.2).
func joins(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sm, unicode.Sk, unicode.Variation_Selector) ||
		unicode.In(r, joinedLetters...)
}

// base returns the last character of a text that is not a combining mark.
func base(text []rune) rune {
	for i := len(text) - 1; i >= 0; i-- {
		if !unicode.Is(unicode.M, text[i]) || unicode.Is(unicode.Variation_Selector, text[i]) {
			return text[i]
		}
	}
	return 0
}

func virama(r rune) bool { return norm.NFC.PropertiesString(string(r)).CCC() == 9 }
