package wire

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/watchparty/watchparty"
)

// Encode returns a message as a frame.
func Encode(m Message) ([]byte, error) {
	properties, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("wire: encode %s: %w", m.Type(), err)
	}
	frame := make([]byte, 0, len(properties)+len(m.Type())+8)
	frame = append(frame, `{"t":"`...)
	frame = append(frame, m.Type()...)
	frame = append(frame, '"')
	if len(properties) > 2 {
		frame = append(frame, ',')
	}
	return append(frame, properties[1:]...), nil
}

// Errors of messages from clients.
var (
	ErrMalformed = &watchparty.Error{Kind: watchparty.KindInvalid, Code: "invalid_message",
		Message: "The message is not a JSON object with a name."}
	ErrUnknown = &watchparty.Error{Kind: watchparty.KindInvalid, Code: "unknown_message_type",
		Message: "The server does not know a message of this name."}
)

// kind is what decoding needs to know of a type of message.
type kind struct {
	elem     reflect.Type // the message's struct
	required []string
}

var (
	clientKinds = kinds(ClientMessages())
	serverKinds = kinds(ServerMessages())
)

func kinds[M Message](all []M) map[string]kind {
	byName := make(map[string]kind, len(all))
	for _, m := range all {
		t := reflect.TypeOf(m).Elem()
		byName[m.Type()] = kind{t, required(t)}
	}
	return byName
}

// required are the properties that cannot be left out.
func required(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			names = append(names, required(field.Type)...)
			continue
		}
		if name, options, _ := strings.Cut(field.Tag.Get("json"), ","); options == "" {
			names = append(names, name)
		}
	}
	return names
}

// DecodeClient reads a message from a client. Its errors are coded: ErrMalformed, ErrUnknown, or invalid_request with
// the properties that are wrong. id is the command's also in case of an error, if it has one.
func DecodeClient(frame []byte) (m ClientMessage, id string, err error) {
	properties, name, err := open(frame)
	if err != nil {
		return nil, "", err
	}
	id = idIn(properties)
	kind, ok := clientKinds[name]
	if !ok {
		return nil, id, ErrUnknown
	}
	delete(properties, "t")
	m, _ = reflect.New(kind.elem).Interface().(ClientMessage)
	var wrong checks
	for _, property := range kind.required {
		value, given := properties[property]
		wrong.check(given, property, "required", "is missing")
		wrong.check(!given || value.Kind() != 'n', property, "null", "must not be null")
	}
	if unmarshal(properties, m) != nil {
		for property, value := range properties { // to name all that are wrong
			if err := unmarshal(map[string]jsontext.Value{property: value}, m); err != nil && !wrong.has(property) {
				wrong = append(wrong, wrongProperty(err))
			}
		}
	}
	var outside checks
	m.check(&outside)
	for _, f := range outside {
		if !wrong.has(f.Field) { // otherwise it has no value
			wrong = append(wrong, f)
		}
	}
	if wrong != nil {
		return nil, id, refuse(wrong)
	}
	if rules, ok := m.(interface{ validate() error }); ok {
		if err := rules.validate(); err != nil {
			return nil, id, err
		}
	}
	return m, IDOf(m), nil
}

// unmarshal sets properties of a message.
func unmarshal(properties map[string]jsontext.Value, m ClientMessage) error {
	text, err := json.Marshal(properties)
	if err != nil {
		return fmt.Errorf("wire: properties: %w", err)
	}
	return json.Unmarshal(text, m, json.RejectUnknownMembers(true))
}

// open reads the properties of a frame, one of which is its name. Names that are given twice, and text that is no
// UTF-8, are malformed.
func open(frame []byte) (map[string]jsontext.Value, string, error) {
	var (
		properties map[string]jsontext.Value
		name       string
	)
	if err := json.Unmarshal(frame, &properties); err != nil || properties == nil {
		return nil, "", ErrMalformed
	}
	if t := properties["t"]; t.Kind() != '"' || json.Unmarshal(t, &name) != nil {
		return nil, "", ErrMalformed
	}
	return properties, name, nil
}

// idIn is the command's ID if it is one.
func idIn(properties map[string]jsontext.Value) string {
	var id string
	if json.Unmarshal(properties["id"], &id) != nil || len(id) != 36 || uuid.Validate(id) != nil {
		return ""
	}
	return strings.ToLower(id)
}

// refuse returns an error with the wrong properties, sorted by name.
func refuse(wrong checks) error {
	slices.SortFunc(wrong, func(a, b watchparty.FieldError) int { return strings.Compare(a.Field, b.Field) })
	return watchparty.Invalid(wrong[:min(len(wrong), maxFieldErrors)]...)
}

// Limits of an error: a client chooses how many properties are wrong, and their names.
const (
	maxFieldErrors = 20
	maxFieldName   = 100 // bytes
)

// wrongProperty is the one that the decoder could not take.
func wrongProperty(err error) watchparty.FieldError {
	wrong := watchparty.FieldError{Field: "message", Code: "type", Message: "has the wrong type"}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return wrong
	}
	if name := semantic.JSONPointer.LastToken(); name != "" {
		wrong.Field = strings.ToValidUTF8(name[:min(len(name), maxFieldName)], "")
	}
	if semantic.GoType != nil {
		wrong.Message = "must be " + JSONType(semantic.GoType)
	}
	if errors.Is(err, json.ErrUnknownName) {
		wrong.Code, wrong.Message = "unknown", "is not a known property"
	}
	return wrong
}

// JSONType names the JSON type of the values that a Go type takes, with its article.
func JSONType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "a boolean"
	case reflect.Int, reflect.Int64:
		return "an integer"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a string"
	}
}

// DecodeServer reads a message from the server. It returns ErrUnknown for one that this client does not know.
func DecodeServer(frame []byte) (ServerMessage, error) {
	_, name, err := open(frame)
	if err != nil {
		return nil, err
	}
	kind, ok := serverKinds[name]
	if !ok {
		return nil, ErrUnknown
	}
	m, _ := reflect.New(kind.elem).Interface().(ServerMessage)
	if err := json.Unmarshal(frame, m); err != nil {
		return nil, fmt.Errorf("wire: decode %s: %w", name, err)
	}
	return m, nil
}
