package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Print writes cfg as YAML without secrets. A comment says where each value that
// is not a default was written. Redacted secrets aside, the output is a file that
// Load reads.
func Print(w io.Writer, cfg Config, origins Origins) error {
	out := bufio.NewWriter(w)
	var at []string // the sections that have been opened
	for _, s := range settings(&cfg) {
		keys := strings.Split(s.path, ".")
		for depth, section := range keys[:len(keys)-1] {
			if depth < len(at) && at[depth] == section {
				continue
			}
			at = append(at[:depth:depth], section)
			fmt.Fprintf(out, "%s%s:\n", strings.Repeat("  ", depth), section)
		}
		at = at[:len(keys)-1]
		text, err := inline(s.value.Interface())
		if err != nil {
			return fmt.Errorf("print %s: %w", s.path, err)
		}
		fmt.Fprintf(out, "%s%s: %s", strings.Repeat("  ", len(keys)-1), keys[len(keys)-1], text)
		if origin, ok := origins[s.path]; ok {
			fmt.Fprintf(out, "  # %v", origin)
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// Values returns every setting by its path, for JSON, which shows no secret.
func Values(cfg Config) map[string]any {
	values := make(map[string]any)
	for _, s := range settings(&cfg) {
		values[s.path] = s.value.Interface()
		if d, ok := values[s.path].(time.Duration); ok {
			values[s.path] = short(d)
		}
	}
	return values
}

// inline returns value as YAML of one line.
func inline(value any) (string, error) {
	if d, ok := value.(time.Duration); ok {
		return short(d), nil
	}
	b, err := yaml.MarshalWithOptions(value, yaml.Flow(true), yaml.JSON())
	return strings.TrimSpace(string(b)), err
}

// short is d as people write it: 30m, not 30m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
