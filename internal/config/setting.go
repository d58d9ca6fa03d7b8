package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// EnvPrefix begins the name of every environment variable that is a setting.
const EnvPrefix = "WAVEADMIN_"

// EnvName returns the environment variable of the setting at path:
// WAVEADMIN_WAVE_CLIENT_ID for wave.client_id.
func EnvName(path string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// A setting is one leaf of a Config.
type setting struct {
	path  string // such as wave.password.min_length
	value reflect.Value
}

// settings returns the leaves of cfg in the order of its fields.
func settings(cfg *Config) []setting {
	var all []setting
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			path := prefix + v.Type().Field(i).Tag.Get("yaml")
			if f := v.Field(i); isSection(f.Type()) {
				walk(path+".", f)
			} else {
				all = append(all, setting{path, f})
			}
		}
	}
	walk("", reflect.ValueOf(cfg).Elem())
	return all
}

func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Secret]()
}

// Paths returns the path of every setting.
func Paths() []string {
	var paths []string
	for _, s := range settings(new(Config)) {
		paths = append(paths, s.path)
	}
	return paths
}

func find(cfg *Config, path string) (setting, bool) {
	all := settings(cfg)
	i := slices.IndexFunc(all, func(s setting) bool { return s.path == path })
	if i < 0 {
		return setting{}, false
	}
	return all[i], true
}

func (s setting) isList() bool { return s.value.Kind() == reflect.Slice }

// isSecret reports whether the text of the setting must not be shown.
func (s setting) isSecret() bool {
	switch s.value.Addr().Interface().(type) {
	case *Secret, *[]Secret, *DatabaseURL:
		return true
	}
	return false
}

// holdsSecret reports whether something stands there that must not be shown.
func (s setting) holdsSecret() bool {
	switch p := s.value.Addr().Interface().(type) {
	case *Secret:
		return !p.IsZero()
	case *[]Secret:
		return slices.ContainsFunc(*p, func(s Secret) bool { return !s.IsZero() })
	case *DatabaseURL:
		return p.holdsPassword()
	}
	return false
}

// setText sets the setting from one text: lists are comma-separated.
func (s setting) setText(text string) error {
	if s.isList() {
		items := strings.Split(text, ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		return s.setList(items)
	}
	switch p := s.value.Addr().Interface().(type) {
	case *string:
		*p = text
	case *Secret:
		*p = NewSecret(text)
	case *DatabaseURL:
		*p = DatabaseURL(text)
	case *bool:
		switch text {
		case "true", "false":
			*p = text == "true"
		default:
			return fmt.Errorf("%q is neither true nor false", text)
		}
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		*p = n
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("%q is not a duration such as 15s, 30m or 8h", text)
		}
		*p = d
	default:
		return fmt.Errorf("config: %s has the type %v", s.path, s.value.Type()) // a bug of ours
	}
	return nil
}

func (s setting) setList(items []string) error {
	switch p := s.value.Addr().Interface().(type) {
	case *[]string:
		*p = items
	case *[]Secret:
		*p = make([]Secret, len(items))
		for i, item := range items {
			(*p)[i] = NewSecret(item)
		}
	default:
		return errors.New("is one value, not a list")
	}
	return nil
}

// nearest returns the candidate that name was most likely meant to be, or "".
func nearest(name string, candidates []string) string {
	best, least := "", min(max(2, len(name)/3), len(name)-1)+1
	for _, c := range candidates {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
