package demo

import (
	"fmt"
	"html"
	"strings"
)

// poster is a drawing for a movie: 300 × 450, with its title below.
type poster struct {
	ground, ink, light string // colours
	motif              string // of SVG; C, I and L stand for the colours
}

// posters are by title.
var posters = map[string]poster{
	"A Trip to the Moon": {"#131a3a", "#f4e7b5", "#c9ced9", `
<circle cx="150" cy="160" r="96" fill="I"/><circle cx="118" cy="140" r="13" fill="C"/><circle cx="186" cy="140" r="13"
fill="C"/><path d="M104 190q46 46 92 0" fill="none" stroke="C" stroke-width="9" stroke-linecap="round"/><g
transform="rotate(-38 206 118)"><rect x="196" y="106" width="76" height="24" rx="4" fill="L"/><path
d="M196 106q-22 12 0 24z" fill="L"/></g><g fill="I"><circle cx="34" cy="52" r="2"/><circle cx="262" cy="36" r="3"/><circle
cx="42" cy="262" r="3"/><circle cx="268" cy="286" r="2"/></g>`},
	"The Cabinet of Dr. Caligari": {"#e9e2cf", "#1c1a1e", "#8d2f2b", `
<path d="M0 310L64 20l30 10-40 280zM300 310L214 0h-34l70 310zM86 310l52-190 22 4-18 186z" fill="I"/><path
d="M164 310l24-150 46 10 18 140z" fill="L"/><path d="M180 196l38 8 4 40-48-6z" fill="C"/><path d="M0 310h300v-20L150 276 0 296z"
fill="I"/>`},
	"The Kid": {"#f2e3c6", "#2a2522", "#a5562e", `
<path d="M112 118q38-52 76 0z" fill="I"/><rect x="86" y="116" width="128" height="14" rx="7" fill="I"/><circle cx="150"
cy="160" r="38" fill="none" stroke="I" stroke-width="7"/><path d="M132 178q18-12 36 0v8h-36z" fill="I"/><path
d="M60 300q30-60 66-60v60zM240 300q-30-60-66-60v60z" fill="L"/><path d="M226 214v86" stroke="I" stroke-width="7"/><path
d="M226 214q0-20 20-18" fill="none" stroke="I" stroke-width="7"/>`},
	"Nosferatu": {"#20262b", "#dfe4dc", "#5f7a6a", `
<circle cx="212" cy="84" r="44" fill="L"/><path d="M90 300q-6-120 40-150-18-60 20-70 38 10 20 70 24 16 30 60l46-54-8 26 26-14-16 26
26-2-60 62v46z" fill="#07090b"/><circle cx="138" cy="112" r="4" fill="I"/><circle cx="160" cy="112" r="4" fill="I"/><path
d="M0 300l70-30 60 20 80-34 90 44z" fill="#0f1418"/>`},
	"Safety Last!": {"#b9d4dc", "#2b3440", "#f5f0e1", `
<rect x="150" y="0" width="150" height="310" fill="I"/><g fill="L" opacity=".35"><rect x="172" y="30" width="34"
height="46"/><rect x="242" y="30" width="34" height="46"/><rect x="242" y="230" width="34" height="46"/></g><circle
cx="150" cy="150" r="74" fill="L" stroke="I" stroke-width="9"/><path d="M150 150V96M150 150l44 34" stroke="I" stroke-width="8"
stroke-linecap="round"/><path d="M186 186q4 40-14 56l-26 60" fill="none" stroke="#8f3b2e" stroke-width="15"
stroke-linecap="round"/><circle cx="180" cy="214" r="15" fill="#e7b98f"/>`},
	"Sherlock Jr.": {"#22303a", "#f3ead6", "#c58b3a", `
<path d="M40 150L300 70v200z" fill="I" opacity=".9"/><rect x="18" y="126" width="62" height="50" rx="6" fill="L"/><circle
cx="32" cy="110" r="24" fill="none" stroke="L" stroke-width="8"/><circle cx="72" cy="104" r="18" fill="none" stroke="L"
stroke-width="8"/><path d="M196 232v-66q-2-24 24-24t24 24v66z" fill="C"/><circle cx="220" cy="126" r="16" fill="C"/><rect
x="196" y="108" width="48" height="8" rx="4" fill="C"/>`},
	"The Gold Rush": {"#cfe2ee", "#31404d", "#d9a520", `
<path d="M0 310V210l70-80 60 70 66-120 104 130v100z" fill="#fff"/><path d="M196 80l104 130v-40z" fill="#a9c3d3"/><path
d="M96 292l12-54 100-18 14 52z" fill="#7a5634"/><path d="M150 244l-4-52 46-10 6 52z" fill="I"/><circle cx="84" cy="282"
r="11" fill="L"/><circle cx="118" cy="296" r="8" fill="L"/><circle cx="210" cy="288" r="13" fill="L"/>`},
	"Battleship Potemkin": {"#c4261d", "#15161a", "#f2ead9", `
<path d="M20 214h260l-34 64H60z" fill="I"/><path d="M92 214v-44h94v44zM120 170v-44h34v44z" fill="I"/><path
d="M186 186h82v10h-82z" fill="I"/><path d="M137 126V40" stroke="I" stroke-width="6"/><path d="M140 44l62 16-62 18z"
fill="L"/><path d="M0 278q25-16 50 0t50 0 50 0 50 0 50 0 50 0v40H0z" fill="L"/>`},
	"The General": {"#f0b673", "#27212c", "#8c3b32", `
<circle cx="226" cy="96" r="46" fill="#fde7b8"/><path d="M0 230l70-70 60 50 80-90 90 110z" fill="#b9705a"/><rect x="70" y="196"
width="150" height="52" rx="8" fill="I"/><rect x="42" y="160" width="62" height="88" fill="I"/><rect x="54" y="174"
width="36" height="28" fill="#fde7b8"/><path d="M186 196v-46h-8l-6-16h44l-6 16h-6v46z" fill="I"/><path d="M220 230l44 36h-44z"
fill="L"/><g fill="L" stroke="I" stroke-width="8"><circle cx="84" cy="262" r="26"/><circle cx="148" cy="262" r="26"/><circle
cx="202" cy="270" r="16"/></g><rect y="290" width="300" height="8" fill="I"/>`},
	"Metropolis": {"#1a2430", "#d8b45a", "#6f8797", `
<path d="M0 310V150h46v-40h30v200zM300 310V120h-40v-30h-30v220zM76 310V90h34V40h18v270zM230 310V110h-30V60h-22v250z" fill="L"
opacity=".55"/><path d="M150 70q44 0 44 58v40q0 40-44 52-44-12-44-52v-40q0-58 44-58z" fill="I"/><path
d="M122 146h22M156 146h22M134 186h32" stroke="C" stroke-width="8"/><path d="M150 70v44" stroke="C" stroke-width="5"/><path
d="M84 310q6-70 66-76 60 6 66 76z" fill="I"/>`},
	"His Girl Friday": {"#f3d9d2", "#2c2430", "#b8433f", `
<path d="M86 150q64-66 128 0l-22 22q-42-36-84 0z" fill="I"/><path d="M102 196q48-30 96 0l22 92H80z" fill="I"/><circle cx="150"
cy="240" r="30" fill="C"/><g fill="L"><circle cx="150" cy="220" r="4"/><circle cx="168" cy="232" r="4"/><circle cx="132"
cy="232" r="4"/><circle cx="138" cy="254" r="4"/><circle cx="162" cy="254" r="4"/></g><path d="M212 60l40-24 8 14-40 24z" fill="L"/>`},
	"Detour": {"#2b2a33", "#f2d16b", "#75727f", `
<path d="M0 190h300v120H0z" fill="#1b1a21"/><path d="M136 190h28l90 120H46z" fill="L"/><g fill="I"><path
d="M148 200h4l2 20h-8zM144 236h12l4 30h-20zM138 282h24l4 28h-32z"/></g><g transform="rotate(-8 210 120)"><path
d="M208 116h8v100h-8z" fill="#d9d4c7"/><path d="M160 76h90l26 20-26 20h-90z" fill="I"/></g><circle cx="62" cy="60" r="20"
fill="#e7e2d3"/>`},
	"Charade": {"#f4ece0", "#1f4e79", "#d9482b", `
<path d="M150 20l10 60 26 110 46 110h-44q-14-54-38-54t-38 54H68l46-110 26-110z" fill="I"/><path d="M112 196h76v12h-76zM126 132h48v10h-48z"
fill="C"/><g fill="L"><rect x="28" y="60" width="50" height="36" rx="3" transform="rotate(-12 53 78)"/><rect x="222" y="88"
width="50" height="36" rx="3" transform="rotate(14 247 106)"/></g><g fill="none" stroke="C" stroke-width="3"><circle cx="53"
cy="78" r="9"/><circle cx="247" cy="106" r="9"/></g>`},
	"Night of the Living Dead": {"#20301f", "#b9d36a", "#0c120c", `
<circle cx="226" cy="76" r="38" fill="I" opacity=".8"/><path d="M36 220l48-50 48 50v90H36z" fill="L"/><rect x="72" y="236"
width="22" height="26" fill="I"/><path d="M186 310l-6-70-22-26 8-8 24 16-4-52 10-2 10 46 2-60h11l4 60 13-52 10 3-5 56 20-24 9 6-24
50-6 57z" fill="I"/><path d="M0 310q40-20 90-8t110-4 100 10v10H0z" fill="L"/>`},
}

// posterOf returns the poster of a movie. The clips have those of the films that they quote.
func posterOf(title string) poster {
	quoted := map[string]string{
		"Rocket to the Moon": "A Trip to the Moon", "The Evening Train": "The General", "The City Lights Up": "Metropolis",
	}
	if film, ok := quoted[title]; ok {
		title = film
	}
	return posters[title]
}

// slug is the name of a movie's files.
func slug(title string) string {
	words := strings.FieldsFunc(
		strings.ToLower(title), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') },
	)
	return strings.Join(words, "-")
}

// draw returns the poster as SVG.
func (p poster) draw(title string, year int) []byte {
	motif := strings.NewReplacer(`"C"`, `"`+p.ground+`"`, `"I"`, `"`+p.ink+`"`, `"L"`, `"`+p.light+`"`).Replace(p.motif)
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 450" role="img"><title>%s</title>`+
		`<rect width="300" height="450" fill="%s"/>%s<rect y="310" width="300" height="140" fill="%s"/>`+
		`<g fill="%s" font-family="Georgia, 'Times New Roman', serif" text-anchor="middle">`,
		html.EscapeString(title), p.ground, motif, p.ink, p.ground)
	lines := wrap(title, 14)
	for i, line := range lines {
		y := 390 + 34*i - 17*(len(lines)-1)
		_, _ = fmt.Fprintf(
			&out,
			`<text x="150" y="%d" font-size="30" font-weight="700">%s</text>`,
			y,
			html.EscapeString(line),
		)
	}
	_, _ = fmt.Fprintf(&out, `<text x="150" y="436" font-size="16">%d</text></g></svg>`, year)
	return []byte(out.String())
}

// wrap breaks a text into lines of about as many characters at most.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
