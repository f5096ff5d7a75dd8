package reference

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"lower": strings.ToLower}).Parse(pageText))

// page is the data of the template.
type page struct {
	Title, Version, Server string
	Introduction           template.HTML
	Groups                 []group
	Schemas                []schema
}

// group has the operations of one tag.
type group struct {
	Name, Description string
	Operations        []operation
}

// Page renders a contract. The codes of problems are links to fragments of problemsPage.
func Page(contract []byte, problemsPage string) ([]byte, error) {
	d, err := parse(contract, problemsPage)
	if err != nil {
		return nil, err
	}
	info := d.root.get("info")
	p := page{Title: info.get("title").text(), Version: info.get("version").text()}
	if servers := d.root.get("servers").items(); len(servers) > 0 {
		p.Server = servers[0].get("url").text()
	}
	if p.Introduction, err = d.markdownWithCodes(info.get("description").text()); err != nil {
		return nil, err
	}
	if p.Groups, err = d.groups(); err != nil {
		return nil, err
	}
	if p.Schemas, err = d.schemas(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return b.Bytes(), nil
}

// groups puts each operation under its first tag.
func (d document) groups() ([]group, error) {
	var groups []group
	index := map[string]int{}
	for _, tag := range d.root.get("tags").items() {
		name := tag.get("name").text()
		index[name] = len(groups)
		groups = append(groups, group{Name: name, Description: tag.get("description").text()})
	}
	for _, path := range d.root.get("paths").fields() {
		for _, method := range path.value.fields() {
			tags := method.value.get("tags").items()
			if len(tags) == 0 {
				continue // parameters or summary of the path
			}
			i, ok := index[tags[0].text()]
			if !ok {
				return nil, fmt.Errorf("reference: %s %s: no tag %q", method.name, path.name, tags[0].text())
			}
			o, err := d.operation(method.name, path.name, path.value, method.value)
			if err != nil {
				return nil, err
			}
			groups[i].Operations = append(groups[i].Operations, o)
		}
	}
	return groups, nil
}

// converter omits HTML in a text.
var converter = goldmark.New(goldmark.WithExtensions(extension.Table))

// markdown converts CommonMark with tables to HTML.
func markdown(text string) (template.HTML, error) {
	var b bytes.Buffer
	if err := converter.Convert([]byte(text), &b); err != nil {
		return "", fmt.Errorf("reference: %w", err)
	}
	return template.HTML(b.String()), nil //nolint:gosec // goldmark escapes
}

var codeElement = regexp.MustCompile(`<code>([a-z_]+)</code>`)

// markdownWithCodes makes links of the codes of problems in a text.
func (d document) markdownWithCodes(text string) (template.HTML, error) {
	rendered, err := markdown(text)
	linked := codeElement.ReplaceAllStringFunc(string(rendered), func(element string) string {
		code := codeElement.FindStringSubmatch(element)[1]
		if !d.problems[code] {
			return element
		}
		return `<a href="` + d.problemsPage + "#" + code + `">` + element + `</a>`
	})
	return template.HTML(linked), err //nolint:gosec // a code has letters and underscores alone
}

func indent(n node) string {
	var b, indented strings.Builder
	writeJSON(&b, n)
	writeIndented(&indented, b.String())
	return indented.String()
}

func writeIndented(b *strings.Builder, text string) {
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(text), "", "  "); err != nil {
		b.WriteString(text)
		return
	}
	b.Write(indented.Bytes())
}
