package wave

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MarshalJSON writes m as the API wants it: one object with every flag that the
// account has, odd values as they came.
func (m Meta) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for key, raw := range m.All() {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		name, err := jsontext.AppendQuote(nil, string(key))
		if err != nil {
			return nil, fmt.Errorf("meta: key %q: %w", key, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.WriteString(raw)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON or the API wrote. It fails unless it is
// one object without a duplicate key; null is a Meta without a flag.
func (m *Meta) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, m)
}

// UnmarshalJSONFrom reads one value from a stream; see UnmarshalJSON.
func (m *Meta) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*m = Meta{}
	tok, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return errors.New("meta: not an object")
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return err
		}
		key, err := keyOf(name)
		if err != nil {
			return err
		}
		switch dec.PeekKind() {
		case 't', 'f':
			tok, err := dec.ReadToken()
			if err != nil {
				return err
			}
			*m = m.With(key, tok.Bool())
		default:
			raw, err := dec.ReadValue()
			if err != nil {
				return err
			}
			*m = m.WithRaw(key, raw)
		}
	}
	_, err = dec.ReadToken()
	return err
}

// keyOf returns what a name of an object says. It looks a flag of the catalogue
// up where it stands, without a copy: a long list has a third of a million of them.
func keyOf(name jsontext.Value) (Key, error) {
	if i, ok := index[Key(name[1:len(name)-1])]; ok {
		return Flags[i].Key, nil
	}
	b, err := jsontext.AppendUnquote(nil, name)
	return Key(b), err
}
