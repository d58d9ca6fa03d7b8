package config_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"waveadmin/internal/config"
)

func TestPrint_isAFileThatLoads(t *testing.T) {
	cfg, origins, err := config.Load(config.Sources{File: write(t, "c.yaml", complete, 0o600), Env: []string{"WAVEADMIN_LOG_LEVEL=warn"}})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := config.Print(&out, cfg, origins); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`    min_length: 8` + "\n", `  timeout: 15s` + "\n", `  idle: 30m` + "\n",
		`  level: "warn"  # WAVEADMIN_LOG_LEVEL`, `  client_id: "api-user"  # `, `c.yaml:4:14`,
		`    editor: ["ops"]`, `  client_secret: "[redacted]"`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, out.String())
		}
	}

	text := strings.Replace(out.String(), "[redacted]", "canary-wave-secret", 1)
	text = strings.Replace(text, "[redacted]", "canary-auth-secret", 1)
	text = strings.Replace(text, "[redacted]", key, 1)
	again, _, err := config.Load(config.Sources{File: write(t, "again.yaml", text, 0o600)})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	// An empty list and none are the same setting.
	none := cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
	noSecrets := cmp.FilterValues(func(a, b []config.Secret) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
	if diff := cmp.Diff(cfg, again, none, noSecrets); diff != "" {
		t.Errorf("after a round trip (-before +after):\n%s", diff)
	}
}

// TestExample holds config.example.yaml to the program: every setting is there,
// with its default unless a value is required.
func TestExample(t *testing.T) {
	const file = "../../config.example.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var example map[string]any
	if err := yaml.Unmarshal(text, &example); err != nil {
		t.Fatal(err)
	}
	var defaults bytes.Buffer
	if err := config.Print(&defaults, config.Default(), nil); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := yaml.Unmarshal(defaults.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	want["server"].(map[string]any)["public_url"] = "https://wave-admin.example.co.jp"
	if diff := cmp.Diff(want, example); diff != "" {
		t.Errorf("config.example.yaml (-defaults +example):\n%s", diff)
	}

	_, _, err = config.Load(config.Sources{File: file})
	for line := range strings.Lines(err.Error()) {
		if !strings.Contains(line, "is required") && !strings.Contains(line, "nobody could use this") && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "the configuration") {
			t.Errorf("more than missing values: %s", line)
		}
	}
}

// TestDocumentation fails when docs/configuration.md lacks a setting.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := config.Paths()
	for _, path := range paths {
		if !strings.Contains(string(text), "| `"+path+"` |") {
			t.Errorf("docs/configuration.md lacks %s", path)
		}
	}
	if !slices.IsSortedFunc(paths, func(a, b string) int {
		return strings.Index(string(text), "| `"+a+"` |") - strings.Index(string(text), "| `"+b+"` |")
	}) {
		t.Error("docs/configuration.md has the settings in another order than the example")
	}
}
