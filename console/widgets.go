package console

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// The parts that pages share. Each has a template of its name in templates/widgets.html.

// head is the head of a column.
type head struct {
	Label  string
	Number bool // whether the column has numbers, which are aligned at their end
}

// heads are the heads of a table. The label of a column with numbers begins with ">".
func heads(labels ...string) (all []head) {
	for _, label := range labels {
		text, number := strings.CutPrefix(label, ">")
		all = append(all, head{text, number})
	}
	return all
}

// emptyList is what stands in place of a list without entries.
type emptyList struct{ Title, Text string }

func empty(title, text string) emptyList { return emptyList{title, text} }

// choice is a filter that has one of some codes.
type choice struct {
	Label, Name, Chosen string
	Codes               []string
	Default             string // what it shows as the choice of none
}

// choose makes a filter. The codes are a slice of any kind of string. Without a choice, a filter shows all, or what the
// last argument says.
func choose(label, name string, query map[string]string, codes any, otherwise ...string) choice {
	c := choice{Label: label, Name: name, Chosen: query[name], Codes: texts(codes), Default: strings.Join(otherwise, "")}
	if c.Default == "" {
		c.Default = "All"
	}
	return c
}

// texts returns the texts of a slice of any kind of string.
func texts(list any) (all []string) {
	v := reflect.ValueOf(list)
	for i := range v.Len() {
		all = append(all, fmt.Sprint(v.Index(i).Interface()))
	}
	return all
}

// search is a filter that is typed.
type search struct{ Label, Name, Typed string }

func find(label, name string, query map[string]string) search {
	return search{label, name, query[name]}
}

// button is a form that is a button, with the reason of the act.
type button struct {
	Path, Label string
	Tone        string // "", plain or danger
	Required    bool   // whether there has to be a reason
}

// press makes a button. Parts are its tone, and "required" if there has to be a reason.
func press(path, label string, parts ...string) button {
	b := button{Path: path, Label: label}
	for _, part := range parts {
		if part == "required" {
			b.Required = true
		} else {
			b.Tone = part
		}
	}
	return b
}

// localTime is how browsers write a time in a field of the kind datetime-local, which has no zone.
const localTime = "2006-01-02T15:04"

// instant reads a time of such a field as UTC, and leaves other texts as they are, for the API to judge.
func instant(typed string) string {
	for _, layout := range []string{localTime, localTime + ":05"} {
		if t, err := time.Parse(layout, typed); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	return typed
}

// local writes a time for such a field: of what was typed there, or of a time as the API writes it.
func local(text string) string {
	t, err := time.Parse(time.RFC3339, instant(text))
	if err != nil {
		return ""
	}
	return t.UTC().Format(localTime)
}
