package bulk

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"waveadmin/internal/fault"
	"waveadmin/internal/wave"
)

// Decode reads a draft as screens of ours send it:
//
//	{"source":"matrix","items":[{"user":"ID","seen":{"flag":"on|off|unset"},"want":{"flag":"on|off"}}]}
//
// Nothing is guessed at: a name that is none of these, one that comes twice, an
// account that comes twice, a seen flag that is not wanted, an item that wants
// nothing, and more than MaxCells cells fail with fault.Invalid.
func Decode(text string) (Draft, error) {
	var in struct {
		Source string `json:"source"`
		Items  []struct {
			User wave.UserID         `json:"user"`
			Seen map[wave.Key]string `json:"seen"`
			Want map[wave.Key]string `json:"want"`
		} `json:"items"`
	}
	// The reader refuses names that come twice by itself.
	if err := json.Unmarshal([]byte(text), &in, json.RejectUnknownMembers(true)); err != nil {
		return Draft{}, malformed(err)
	}
	if !slices.Contains(Sources, in.Source) {
		return Draft{}, malformed(fmt.Errorf("source %.40q", in.Source))
	}
	d := Draft{Source: in.Source}
	met := make(map[wave.UserID]bool, len(in.Items))
	cells := 0
	for _, item := range in.Items {
		if cells += len(item.Want); cells > MaxCells {
			return Draft{}, &fault.Error{Kind: fault.Invalid, Say: fault.Say("bulk.too_many_cells", "max", MaxCells)}
		}
		switch {
		case !plainID(item.User):
			return Draft{}, malformed(fmt.Errorf("user %.60q", item.User))
		case met[item.User]:
			return Draft{}, malformed(fmt.Errorf("user %q comes twice", item.User))
		case len(item.Want) == 0:
			return Draft{}, malformed(fmt.Errorf("user %q: nothing is wanted", item.User))
		}
		met[item.User] = true
		out, err := decodeCells(item.Seen, item.Want)
		if err != nil {
			return Draft{}, malformed(fmt.Errorf("user %q: %w", item.User, err))
		}
		out.UserID = item.User
		d.Items = append(d.Items, out)
	}
	return d, nil
}

func decodeCells(seen, want map[wave.Key]string) (DraftItem, error) {
	out := DraftItem{Seen: make(wave.Seen, len(seen)), Want: make(wave.Wanted, len(want))}
	for key, value := range want {
		if key == "" || len(key) > 100 || value != "on" && value != "off" {
			return out, fmt.Errorf("want %.100q is %.20q", key, value)
		}
		out.Want[key] = value == "on"
	}
	for key, value := range seen {
		state, ok := map[string]wave.State{"on": wave.On, "off": wave.Off, "unset": wave.Unset}[value]
		if _, wanted := want[key]; !ok || !wanted {
			return out, fmt.Errorf("seen %.100q is %.20q", key, value)
		}
		out.Seen[key] = state
	}
	return out, nil
}

// plainID reports whether id can be the id of an account.
func plainID(id wave.UserID) bool {
	return id != "" && len(id) <= 255 && !strings.ContainsAny(string(id), "\x00\r\n")
}

func malformed(err error) error {
	return &fault.Error{Kind: fault.Invalid, Say: fault.Say("bulk.malformed"), Err: errors.Join(errors.New("plan"), err)}
}
