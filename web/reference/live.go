package reference

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
)

//go:embed live.html.tmpl
var liveText string

var liveTemplate = template.Must(template.Must(pageTemplate.Clone()).New("live").Parse(liveText))

// livePage is what the template gets.
type livePage struct {
	Title, Version string
	Address        string
	Introduction   template.HTML
	Connection     template.HTML
	Directions     []direction
	Limits         []limit
	CloseCodes     []closeCode
	Schemas        []schema
}

// direction has the messages of one side.
type direction struct {
	ID, Title, Description string
	Messages               []message
}

// message is one of them, as the page shows it.
type message struct {
	ID, Name, Title, Summary string
	Description              template.HTML
	Properties               []property
	Examples                 []string
}

// limit is a number that the contract gives a name.
type limit struct {
	Name, Value string
	Description template.HTML
}

// closeCode is why a connection ends.
type closeCode struct {
	Code, Name, Retry string
	Description       template.HTML
}

// LivePage renders the contract of live rooms, an AsyncAPI 3 document in YAML with one channel.
func LivePage(contract []byte) ([]byte, error) {
	d, err := parse(contract)
	if err != nil {
		return nil, err
	}
	channels := d.root.get("channels").fields()
	if len(channels) != 1 {
		return nil, fmt.Errorf("reference: %d channels", len(channels))
	}
	channel, info := channels[0].value, d.root.get("info")
	p := livePage{
		Title: info.get("title").text(), Version: info.get("version").text(), Address: channel.get("address").text(),
	}
	if p.Introduction, err = markdown(info.get("description").text()); err != nil {
		return nil, err
	}
	if p.Connection, err = markdown(channel.get("description").text()); err != nil {
		return nil, err
	}
	if p.Directions, err = d.directions(); err != nil {
		return nil, err
	}
	if p.Limits, p.CloseCodes, err = limitsAndCodes(channel); err != nil {
		return nil, err
	}
	if p.Schemas, err = d.schemas(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := liveTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return b.Bytes(), nil
}

func (d document) directions() ([]direction, error) {
	var all []direction
	for _, operation := range d.root.get("operations").fields() {
		one := direction{
			ID: operation.name, Title: operation.value.get("title").text(),
			Description: operation.value.get("description").text(),
		}
		for _, item := range operation.value.get("messages").items() {
			found, key := d.resolve(item)
			if !found.exists() {
				return nil, fmt.Errorf("reference: %s: no message %s", operation.name, key)
			}
			m, err := d.message(key, found)
			if err != nil {
				return nil, err
			}
			one.Messages = append(one.Messages, m)
		}
		all = append(all, one)
	}
	return all, nil
}

func (d document) message(id string, of node) (message, error) {
	m := message{ID: id, Name: of.get("name").text(), Title: of.get("title").text(), Summary: of.get("summary").text()}
	var err error
	if m.Description, err = markdown(of.get("description").text()); err != nil {
		return message{}, err
	}
	if m.Properties, err = d.whole(of.get("payload")); err != nil {
		return message{}, err
	}
	for _, example := range of.get("examples").items() {
		m.Examples = append(m.Examples, indent(example.get("payload")))
	}
	return m, nil
}

// whole are the properties of an object, also those behind references.
func (d document) whole(of node) ([]property, error) {
	n, _ := d.resolve(of)
	parts := n.get("allOf").items()
	if len(parts) == 0 {
		return d.properties(n)
	}
	var all []property
	for _, part := range parts {
		more, err := d.whole(part)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func limitsAndCodes(channel node) (limits []limit, codes []closeCode, err error) {
	for _, f := range channel.get("x-limits").fields() {
		one := limit{Name: strings.ReplaceAll(f.name, "_", " "), Value: f.value.get("value").text()}
		if one.Description, err = markdown(f.value.get("description").text()); err != nil {
			return nil, nil, err
		}
		limits = append(limits, one)
	}
	for _, item := range channel.get("x-close-codes").items() {
		one := closeCode{Code: item.get("code").text(), Name: item.get("name").text(), Retry: item.get("retry").text()}
		if one.Description, err = markdown(item.get("description").text()); err != nil {
			return nil, nil, err
		}
		codes = append(codes, one)
	}
	return limits, codes, nil
}
