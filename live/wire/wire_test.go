package wire

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	strict "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/watchparty/watchparty"
	"github.com/watchparty/watchparty/api/contract"
)

// document is api/live.yaml.
type document struct {
	Channels struct {
		Live struct {
			Messages map[string]reference `yaml:"messages"`
			Limits   map[string]struct {
				Value int `yaml:"value"`
			} `yaml:"x-limits"`
			CloseCodes []struct {
				Code Code   `yaml:"code"`
				Name string `yaml:"name"`
			} `yaml:"x-close-codes"`
		} `yaml:"live"`
	} `yaml:"channels"`
	Operations map[string]struct {
		Action   string      `yaml:"action"`
		Messages []reference `yaml:"messages"`
	} `yaml:"operations"`
	Components struct {
		Messages map[string]struct {
			Name     string    `yaml:"name"`
			Payload  reference `yaml:"payload"`
			Examples []struct {
				Payload map[string]any `yaml:"payload"`
			} `yaml:"examples"`
		} `yaml:"messages"`
		Schemas map[string]*schema `yaml:"schemas"`
	} `yaml:"components"`
}

type reference struct {
	Ref string `yaml:"$ref"`
}

// target is the last part of what a reference names.
func (r reference) target() string { return r.Ref[strings.LastIndex(r.Ref, "/")+1:] }

type schema struct {
	Ref        string             `yaml:"$ref"`
	Type       any                `yaml:"type"`
	Const      string             `yaml:"const"`
	Enum       []string           `yaml:"enum"`
	Minimum    *float64           `yaml:"minimum"`
	Maximum    *float64           `yaml:"maximum"`
	MaxLength  *int               `yaml:"maxLength"`
	Format     string             `yaml:"format"`
	Required   []string           `yaml:"required"`
	Properties map[string]*schema `yaml:"properties"`
	Additional *bool              `yaml:"additionalProperties"`
	Items      *schema            `yaml:"items"`
	AllOf      []*schema          `yaml:"allOf"`
	OneOf      []*schema          `yaml:"oneOf"`
}

func readContract(t testing.TB) document {
	t.Helper()
	text, err := os.ReadFile("../../api/live.yaml")
	require.NoError(t, err)
	var d document
	require.NoError(t, yaml.Unmarshal(text, &d))
	return d
}

// resolve follows references, and joins the parts of allOf.
func (d document) resolve(t testing.TB, s *schema) *schema {
	t.Helper()
	for s.Ref != "" {
		target := d.Components.Schemas[reference{s.Ref}.target()]
		require.NotNil(t, target, s.Ref)
		s = target
	}
	if len(s.AllOf) == 0 {
		return s
	}
	joined := *s
	joined.AllOf, joined.Properties = nil, map[string]*schema{}
	for _, part := range s.AllOf {
		part = d.resolve(t, part)
		for name, property := range part.Properties {
			joined.Properties[name] = property
		}
		joined.Required = append(joined.Required, part.Required...)
		if part.Type != nil {
			joined.Type, joined.Format, joined.Minimum, joined.Maximum = part.Type, part.Format, part.Minimum, part.Maximum
		}
	}
	return &joined
}

// messagesOf are the names of what is sent in a direction, with the keys of the contract.
func (d document) messagesOf(operation string) map[string]string {
	names := map[string]string{}
	for _, r := range d.Operations[operation].Messages {
		names[d.Components.Messages[r.target()].Name] = r.target()
	}
	return names
}

// TestMessagesAreTheContracts: each message of the contract has a Go type with the same properties, and each type is in
// the contract.
func TestMessagesAreTheContracts(t *testing.T) {
	t.Parallel()
	d := readContract(t)
	require.Equal(t, "receive", d.Operations["fromClient"].Action)
	require.Equal(t, "send", d.Operations["fromServer"].Action)
	compare := func(t *testing.T, promised map[string]string, made map[string]kind) {
		t.Helper()
		for name, kind := range made {
			require.Contains(t, promised, name, "%s is not in the contract", kind.elem)
			s := d.Components.Schemas[d.Components.Messages[promised[name]].Payload.target()]
			require.NotNil(t, s, name)
			whole := d.resolve(t, s)
			require.Equal(t, name, whole.Properties["t"].Const)
			d.requireProperties(t, name, whole, kind.elem, true)
		}
		for name := range promised {
			require.Contains(t, made, name, "the contract's %s has no type", name)
		}
	}
	compare(t, d.messagesOf("fromClient"), clientKinds)
	compare(t, d.messagesOf("fromServer"), serverKinds)
	require.Len(t, d.Channels.Live.Messages, len(clientKinds)+len(serverKinds))
	require.Len(t, d.Components.Messages, len(clientKinds)+len(serverKinds))
}

// requireProperties compares an object with a struct, and the objects within it.
func (d document) requireProperties(t *testing.T, where string, s *schema, made reflect.Type, message bool) {
	t.Helper()
	want, needed := map[string]reflect.Type{}, []string{}
	var collect func(reflect.Type)
	collect = func(of reflect.Type) {
		for i := range of.NumField() {
			field := of.Field(i)
			if field.Anonymous {
				collect(field.Type)
				continue
			}
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			want[name] = field.Type
			if options == "" {
				needed = append(needed, name)
			}
		}
	}
	collect(made)
	if message {
		want["t"] = reflect.TypeFor[string]()
		needed = append(needed, "t")
	}
	var properties []string
	for name := range s.Properties {
		properties = append(properties, name)
	}
	var fields []string
	for name := range want {
		fields = append(fields, name)
	}
	require.ElementsMatch(t, fields, properties, where)
	require.ElementsMatch(t, needed, s.Required, where)
	for name, property := range s.Properties {
		d.requireType(t, where+"."+name, property, want[name])
		if _, nullable := d.resolveNullable(t, property); nullable && slices.Contains(needed, name) {
			zero, err := json.Marshal(reflect.Zero(want[name]).Interface())
			require.NoError(t, err)
			require.Equal(t, "null", string(zero), "%s.%s may be null", where, name)
		}
	}
}

// resolveNullable is resolve for a property that may be null. It returns the schema of the other values.
func (d document) resolveNullable(t testing.TB, property *schema) (_ *schema, nullable bool) {
	t.Helper()
	p := d.resolve(t, property)
	if types, ok := p.Type.([]any); ok {
		require.Equal(t, "null", types[1])
		plain := *p
		plain.Type = types[0]
		return &plain, true
	}
	if len(p.OneOf) > 0 {
		require.Len(t, p.OneOf, 2)
		require.Equal(t, "null", p.OneOf[1].Type)
		return d.resolve(t, p.OneOf[0]), true
	}
	return p, false
}

func (d document) requireType(t *testing.T, where string, property *schema, made reflect.Type) {
	t.Helper()
	p, _ := d.resolveNullable(t, property)
	if made.Kind() == reflect.Pointer {
		made = made.Elem()
	}
	switch p.Type {
	case "object":
		d.requireProperties(t, where, p, made, false)
	case "array":
		require.Equal(t, reflect.Slice, made.Kind(), where)
		d.requireType(t, where+"[]", p.Items, made.Elem())
	case "string":
		if p.Format == "date-time" {
			require.Equal(t, reflect.TypeFor[time.Time](), made, where)
			return
		}
		require.Equal(t, reflect.String, made.Kind(), where)
	case "integer":
		require.Contains(t, []reflect.Kind{reflect.Int, reflect.Int64}, made.Kind(), where)
	case "number":
		require.Equal(t, reflect.Float64, made.Kind(), where)
	case "boolean":
		require.Equal(t, reflect.Bool, made.Kind(), where)
	case nil:
		require.NotEmpty(t, p.Const, where)
	default:
		require.Fail(t, "unknown type", "%s: %v", where, p.Type)
	}
}

// TestExamples: each example of the contract decodes strictly into its type, and encodes back to itself.
func TestExamples(t *testing.T) {
	t.Parallel()
	d := readContract(t)
	check := func(operation string, decode func([]byte) (Message, error)) {
		for name, key := range d.messagesOf(operation) {
			examples := d.Components.Messages[key].Examples
			require.NotEmpty(t, examples, key)
			for i, example := range examples {
				text, err := json.Marshal(example.Payload)
				require.NoError(t, err)
				m, err := decode(text)
				require.NoError(t, err, "%s %d", key, i)
				require.Equal(t, name, m.Type())
				back, err := Encode(m)
				require.NoError(t, err)
				require.JSONEq(t, string(text), string(back), "%s %d", key, i)
			}
		}
	}
	check("fromClient", func(frame []byte) (Message, error) {
		m, _, err := DecodeClient(frame)
		return m, err
	})
	check("fromServer", func(frame []byte) (Message, error) {
		m, err := DecodeServer(frame)
		if err != nil {
			return nil, err
		}
		return m, strictly(frame, m)
	})
}

// strictly refuses what DecodeServer ignores.
func strictly(frame []byte, m Message) error {
	rest := map[string]json.RawMessage{}
	if err := json.Unmarshal(frame, &rest); err != nil {
		return err
	}
	delete(rest, "t")
	text, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	return strict.Unmarshal(text, reflect.New(reflect.TypeOf(m).Elem()).Interface(), strict.RejectUnknownMembers(true))
}

// TestLimitsAreTheContracts: the limits and close codes of the code are those of the contract.
func TestLimitsAreTheContracts(t *testing.T) {
	t.Parallel()
	live := readContract(t).Channels.Live
	limits := map[string]int{}
	for name, limit := range live.Limits {
		limits[name] = limit.Value
	}
	require.Equal(t, map[string]int{
		"frame_bytes":            MaxFrame,
		"hello_seconds":          int(HelloTime.Seconds()),
		"connections_per_person": MaxConnectionsEach,
		"messages_per_second":    MessageRate,
		"commands_per_person":    CommandRatePerPerson,
		"commands_per_room":      CommandRatePerRoom,
		"statuses_per_second":    StatusRate,
		"seek_milliseconds":      int(SeekTime.Milliseconds()),
		"queue_messages":         MaxQueue,
		"write_seconds":          int(WriteTime.Seconds()),
		"ping_seconds":           int(PingInterval.Seconds()),
		"dead_seconds":           int(DeadAfter.Seconds()),
	}, limits)
	codes := map[Code]string{}
	for _, c := range live.CloseCodes {
		codes[c.Code] = c.Name
	}
	require.Equal(t, Codes(), codes)
}

// TestBounds sends, for each property of each message of a client, what is just within and just outside the contract's
// limits.
func TestBounds(t *testing.T) {
	t.Parallel()
	d := readContract(t)
	tried := 0
	for name, key := range d.messagesOf("fromClient") {
		s := d.Components.Schemas[d.Components.Messages[key].Payload.target()]
		for property, of := range s.Properties {
			if property == "t" {
				continue
			}
			p, nullable := d.resolveNullable(t, of)
			require.Equal(t, nullable, !slices.Contains(s.Required, property), "%s.%s", name, property)
			base := d.exampleWith(t, key, property)
			if name == "load" && property == "item_id" {
				delete(base, "movie_id")
			}
			checkValue := func(value any, valid bool) {
				t.Helper()
				tried++
				base[property] = value
				text, err := json.Marshal(base)
				require.NoError(t, err)
				_, _, err = DecodeClient(text)
				require.Equal(t, valid, err == nil, "%s: %s: %v", name, text, err)
				if !valid {
					var coded *watchparty.Error
					require.ErrorAs(t, err, &coded)
					require.Equal(t, property, coded.Fields[0].Field, string(text))
				}
			}
			d.requireNull(t, base, property, nullable)
			checkValue([]any{}, false)
			switch p.Type {
			case "integer", "number":
				checkValue(*p.Minimum, true)
				checkValue(*p.Maximum, true)
				checkValue(*p.Minimum-1, false)
				checkValue(math.Nextafter(*p.Maximum, math.MaxFloat64), false)
				checkValue(json.RawMessage("1e999"), false)
				checkValue("1", false)
				half := (math.Floor(*p.Minimum) + 0.5)
				if half < *p.Minimum {
					half++
				}
				checkValue(half, p.Type == "number")
			case "boolean":
				checkValue(true, true)
				checkValue(0, false)
			case "string":
				checkValue("", property == "title")
				checkValue(1, false)
				if p.Format == "uuid" {
					checkValue("0198F3A2-0B7C-7C41-9D1E-6A2F4F0D7B12", true)
					checkValue("{0198f3a2-0b7c-7c41-9d1e-6a2f4f0d7b12}", false)
					checkValue("0198f3a20b7c7c419d1e6a2f4f0d7b12", false)
				} else {
					prefix, letter := "", "ä"
					if property == "stream_url" { // in ASCII
						prefix, letter = "https://a/", "a"
					}
					checkValue(prefix+strings.Repeat(letter, *p.MaxLength-len(prefix)), true)
					checkValue(prefix+strings.Repeat(letter, *p.MaxLength-len(prefix)+1), false)
				}
			default:
				require.Fail(t, "unknown type", "%s.%s: %v", name, property, p.Type)
			}
		}
	}
	require.Greater(t, tried, 200)
}

// requireNull checks that null for an optional property is as good as nothing, and is refused for another one.
func (d document) requireNull(t *testing.T, example map[string]any, property string, optional bool) {
	t.Helper()
	decode := func(m map[string]any) (ClientMessage, error) {
		text, err := json.Marshal(m)
		require.NoError(t, err)
		decoded, _, err := DecodeClient(text)
		return decoded, err
	}
	without, withNull := maps.Clone(example), maps.Clone(example)
	delete(without, property)
	withNull[property] = nil
	want, wantErr := decode(without)
	got, err := decode(withNull)
	if optional {
		require.Equal(t, want, got, property)
		require.Equal(t, wantErr, err, property)
		return
	}
	var coded *watchparty.Error
	require.ErrorAs(t, err, &coded)
	require.Equal(t, []watchparty.FieldError{{Field: property, Code: "null", Message: "must not be null"}}, coded.Fields)
}

// exampleWith is an example that has the property, or may have it.
func (d document) exampleWith(t *testing.T, key, property string) map[string]any {
	t.Helper()
	examples := d.Components.Messages[key].Examples
	best := examples[0].Payload
	for _, example := range examples {
		if _, ok := example.Payload[property]; ok {
			best = example.Payload
		}
	}
	base := map[string]any{}
	for name, value := range best {
		base[name] = value
	}
	return base
}

// TestBadFrames: frames that are not messages, and messages of unknown types.
func TestBadFrames(t *testing.T) {
	t.Parallel()
	const id = "0198f3a2-0b7c-7c41-9d1e-6a2f4f0d7b12"
	for frame, code := range map[string]string{
		``:                         "invalid_message",
		`null`:                     "invalid_message",
		`[]`:                       "invalid_message",
		`"play"`:                   "invalid_message",
		`{}`:                       "invalid_message",
		`{"t":7}`:                  "invalid_message",
		`{"t":null}`:               "invalid_message",
		`{"t":"bye"`:               "invalid_message",
		`{"t":"bye"} {}`:           "invalid_message",
		`{"t":"bye","t":"bye"}`:    "invalid_message",
		"{\"t\":\"bye\xff\"}":      "invalid_message",
		`{"t":"clock","c0":NaN}`:   "invalid_message",
		`{"T":"bye"}`:              "invalid_message",
		`{"t":"clock","c0":01}`:    "invalid_message",
		`{"t":"toggle"}`:           "unknown_message_type",
		`{"t":"welcome"}`:          "unknown_message_type",
		`{"t":"BYE"}`:              "unknown_message_type",
		`{"t":"bye","more":1}`:     "invalid_request",
		`{"t":"clock","C0":1}`:     "invalid_request",
		`{"t":"clock","c0":-1e99}`: "invalid_request",
		`{"t":"load","id":"` + id + `","epoch":1}`:                                                    "invalid_request",
		`{"t":"load","id":"` + id + `","epoch":1,"stream_url":"http://a.example/x.mp4"}`:              "invalid_request",
		`{"t":"load","id":"` + id + `","epoch":1,"stream_url":"https://u:p@a.example/x"}`:             "invalid_request",
		`{"t":"load","id":"` + id + `","epoch":1,"stream_url":"https:///x"}`:                          "invalid_request",
		`{"t":"load","id":"` + id + `","epoch":1,"movie_id":"` + id + `","stream_url":"https://a/x"}`: "invalid_request",
		`{"t":"load","id":"` + id + `","epoch":1,"movie_id":"` + id + `","title":"x"}`:                "invalid_request",
		`{"t":"` + strings.Repeat("x", 4000) + `"}`:                                                   "unknown_message_type",
	} {
		_, gotID, err := DecodeClient([]byte(frame))
		var coded *watchparty.Error
		require.ErrorAs(t, err, &coded, frame)
		require.Equal(t, code, coded.Code, frame)
		require.Equal(t, strings.Contains(frame, id), gotID == id, "%s: the answer has the command's ID", frame)
	}
}

// TestLoadsFollowTheRulesOfSources: a Load is refused for the same reasons as a source of the REST API.
func TestLoadsFollowTheRulesOfSources(t *testing.T) {
	t.Parallel()
	id := "0198f3a2-0b7c-7c41-9d1e-6a2f4f0d7b12"
	for name, source := range map[string]watchparty.Source{
		"nothing":              {},
		"two things":           {MovieID: id, StreamURL: "https://a.example/x.webm"},
		"title without a URL":  {MovieID: id, Title: "Our holiday"},
		"http":                 {StreamURL: "http://a.example/x.webm"},
		"password":             {StreamURL: "https://u:p@a.example/x.webm"},
		"no host":              {StreamURL: "https:///x.webm"},
		"only a port":          {StreamURL: "https://:443/x.webm"},
		"port out of range":    {StreamURL: "https://a.example:99999/x.webm"},
		"not ASCII":            {StreamURL: "https://a.example/\u202ex.webm"},
		"white space":          {StreamURL: "https://a.example/x y.webm"},
		"too long":             {StreamURL: "https://a.example/" + strings.Repeat("x", watchparty.MaxURL)},
		"bidirectional title":  {StreamURL: "https://a.example/x.webm", Title: "Our \u202eholiday"},
		"title of two lines":   {StreamURL: "https://a.example/x.webm", Title: "Our\nholiday"},
		"title of 201 letters": {StreamURL: "https://a.example/x.webm", Title: strings.Repeat("ä", 201)},
	} {
		source.Normalise()
		var want *watchparty.Error
		require.ErrorAs(t, source.Validate(), &want, name)
		load := Load{Command: Command{ID: id}, Title: &source.Title}
		if source.MovieID != "" {
			load.MovieID = &source.MovieID
		}
		if source.StreamURL != "" {
			load.StreamURL = &source.StreamURL
		}
		frame, err := Encode(&load)
		require.NoError(t, err)
		_, _, err = DecodeClient(frame)
		var got *watchparty.Error
		require.ErrorAs(t, err, &got, name)
		require.ElementsMatch(t, want.Fields, got.Fields, name)
	}
}

// An answer to a bad message is bounded, whatever the message is.
func TestRefusalsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 1500)
	_, _, err := DecodeClient([]byte(`{"t":"bye","` + long + `":1}`))
	var coded *watchparty.Error
	require.ErrorAs(t, err, &coded)
	require.LessOrEqual(t, len(coded.Fields[0].Field), maxFieldName)
	require.Equal(t, "unknown", coded.Fields[0].Code)
	var surplus []string
	for i := range 200 {
		surplus = append(surplus, fmt.Sprintf(`"p%d":null`, i))
	}
	_, _, err = DecodeClient([]byte(`{"t":"bye",` + strings.Join(surplus, ",") + `}`))
	require.ErrorAs(t, err, &coded)
	require.Len(t, coded.Fields, maxFieldErrors)
}

// TestChatMessagesAreThoseOfREST: the same fields, written in the same way.
func TestChatMessagesAreThoseOfREST(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 20, 15, 0, 123456000, time.UTC)
	for _, edited := range []*time.Time{nil, &at} {
		rest := contract.Message{ID: "1", RoomID: "2", Body: "<b>", CreatedAt: at, EditedAt: edited,
			Author:  &contract.Person{ID: "3", Username: "bob"},
			ReplyTo: &contract.Quote{ID: "4", Excerpt: "…"}}
		live := ChatMessage{ID: "1", RoomID: "2", Body: "<b>", CreatedAt: at, EditedAt: edited,
			Author: &Person{ID: "3", Username: "bob"}, ReplyTo: &Quote{ID: "4", Excerpt: "…"}}
		want, err := json.Marshal(rest)
		require.NoError(t, err)
		got, err := strict.Marshal(live)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got))
	}
}

func TestMilliseconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 10, 0, 34, 567300*1000, time.UTC)
	require.Equal(t, "1795687234567.3", fmt.Sprint(json.Number(fmt.Sprintf("%.1f", Milliseconds(at)))))
	for _, us := range []int{0, 1, 999, 1000, 123456, 999999} {
		exact := at.Truncate(time.Second).Add(time.Duration(us) * time.Microsecond)
		require.InDelta(t, exact.UnixMicro(), FromMilliseconds(Milliseconds(exact)).UnixMicro(), 1)
	}
}

// FuzzDecodeClient: no frame makes the decoder panic; its errors are coded and short; what it takes encodes to the same
// message again.
func FuzzDecodeClient(f *testing.F) {
	d := readContract(f)
	for _, message := range d.Components.Messages {
		for _, example := range message.Examples {
			text, err := json.Marshal(example.Payload)
			require.NoError(f, err)
			f.Add(text)
		}
	}
	f.Add([]byte(`{"t":"clock","c0":1e400}`))
	f.Add([]byte(`{"t":"seek","id":"0198f3a2-0b7c-7c41-9d1e-6a2f4f0d7b12","epoch":-1,"position_ms":1.5}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, id, err := DecodeClient(frame)
		if err != nil {
			var coded *watchparty.Error
			require.ErrorAs(t, err, &coded)
			require.Contains(t, []string{"invalid_message", "unknown_message_type", "invalid_request"}, coded.Code)
			answer, err := Encode(&Error{ID: id, Code: coded.Code, Message: coded.Message})
			require.NoError(t, err)
			require.Less(t, len(answer), 1000)
			return
		}
		again, err := Encode(m)
		require.NoError(t, err)
		same, _, err := DecodeClient(again)
		require.NoError(t, err, string(again))
		require.Equal(t, m, same)
		require.True(t, slices.ContainsFunc(ClientMessages(), func(k ClientMessage) bool { return k.Type() == m.Type() }))
	})
}
