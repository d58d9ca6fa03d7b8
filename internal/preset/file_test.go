package preset_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waveadmin/internal/preset"
	"waveadmin/internal/wave"
)

// problemsOf is what is wrong with a file: "2 preset.file_flag, 3 …".
func problemsOf(f preset.File, problems []preset.Problem) string {
	for _, e := range f.Presets {
		problems = append(problems, e.Problems...)
	}
	for _, e := range f.Views {
		problems = append(problems, e.Problems...)
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = fmt.Sprint(p.Line, " ", p.Say.Key)
	}
	return strings.Join(lines, ", ")
}

const one = "presets:\n  - name: Gold\n    functions:\n"

func TestParseFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
	}{
		"as we write it":                  {one + "      invoice: true\n      \"open_api\": false\n", ""},
		"views beside presets":            {"views:\n  - name: a\n    query: q=1\n    preset: Gold\n    shared: true\n" + one + "      invoice: true\n", ""},
		"views alone":                     {"views:\n- {name: a}\n", ""},
		"views alone, none":               {"presets:\nviews: []\n", "1 preset.file_none"},
		"views that are no list":          {one + "views: {}\n", "4 preset.file_list"},
		"a view that is no map":           {"views:\n- a\n- name: b\n", "2 preset.file_map"},
		"a view with a key that is none":  {"views:\n- name: a\n  owner: b\n", "3 preset.file_key"},
		"a view that is shared somehow":   {"views:\n- name: a\n  shared: everyone\n", "3 preset.file_bool"},
		"a view with texts that are none": {"views:\n- name: 1\n  query: [a]\n  preset: *x\n", "2 preset.file_text, 3 preset.file_text, 4 preset.file_text"},
		"brackets in names":               {"presets:\n- note: \"" + strings.Repeat("[", 40) + "\"\n  name: 'a[{'\n  functions: {invoice: true}\n", ""},
		"with comments and line ends":     {"# ours\r\npresets: # all\r\n- name: Gold # one\r\n  functions: {invoice: true}\r\n", ""},
		"a note of lines":                 {"presets:\n- name: Gold\n  note: |\n    one\n    two\n", ""},
		"a byte order mark":               {"\ufeff" + one + "      invoice: true\n", ""},
		"nothing":                         {"", "1 preset.file_empty"},
		"only a comment":                  {"# nothing\n", "1 preset.file_empty"},
		"no presets":                      {"presets: []\n", "1 preset.file_none"},
		"a text":                          {"presets\n", "1 preset.file_map"},
		"presets that are no list":        {"presets: 1\n", "1 preset.file_list"},
		"a preset that is no map":         {"presets:\n- Gold\n", "2 preset.file_map"},
		"a key that is none":              {"presets:\n- name: Gold\n  flags: {}\n", "3 preset.file_key"},
		"a section that is none":          {"settings: {}\n" + one, "1 preset.file_key"},
		"a flag that is none":             {one + "      invoice: true\n      invioce: true\n", "5 preset.file_flag"},
		"a value that is none":            {one + "      invoice: yes\n      open_api: 1\n", "4 preset.file_bool, 5 preset.file_bool"},
		"a flag twice":                    {one + "      invoice: true\n      invoice: false\n", "5 preset.file_twice"},
		"a name twice":                    {"presets:\n- name: Gold\n  name: Silver\n", "3 preset.file_twice"},
		"no name":                         {"presets:\n- note: x\n", "2 preset.name_missing"},
		"a name that is a number":         {"presets:\n- note: x\n  name: 2026\n", "3 preset.file_text"},
		"a name that is a list":           {"presets:\n- name: [a]\n", "2 preset.file_text"},
		"a long name":                     {"presets:\n- note: x\n  name: " + strings.Repeat("n", 81) + "\n", "3 preset.name_long"},
		"a name with NUL, escaped":        {"presets:\n- name: \"a\\0b\"\n", "2 preset.name_odd"},
		"NUL":                             {"presets:\n- name: a\x00b\n", "2 preset.file_odd"},
		"no UTF-8":                        {"presets:\n- name: a\xff\n", "2 preset.file_odd"},
		"an anchor":                       {"presets:\n- name: &a Gold\n- name: *a\n", "2 preset.file_text, 3 preset.file_text"},
		"an anchor of a list":             {"presets: &a\n- name: Gold\n", "1 preset.file_list"},
		"a merge":                         {"presets:\n- name: Gold\n  functions:\n    <<: {invoice: true}\n", "4 preset.file_key_odd"},
		"a tag":                           {"presets:\n- name: !!binary R29sZA==\n", "2 preset.file_text"},
		"two documents":                   {one + "---\n" + one, "5 preset.file_documents"},
		"no YAML":                         {"presets:\n- name: \"Gold\n", "2 preset.file_syntax"},
		"indented by tab":                 {"presets:\n\t- name: Gold\n", "2 preset.file_syntax"},
		"deep in brackets":                {"presets: " + strings.Repeat("[", 100_000), "1 preset.file_nested"},
		"deep in lists":                   {"presets:\n" + strings.Repeat("- ", 3000) + "x\n", "2 preset.file_nested"},
		"deep in questions":               {strings.Repeat("? ", 3000) + "x\n", "1 preset.file_nested"},
		"deep by indentation":             {deep(200), "66 preset.file_nested"},
		"large":                           {strings.Repeat("# comment\n", preset.MaxFile/10+1), "1 preset.file_large"},
		"of many lines":                   {strings.Repeat("#\n", 50_001), "50001 preset.file_lines"},
		"an anchor for each one before":   {bomb(), "1 preset.file_key, 2 preset.file_key, 3 preset.file_key, 4 preset.file_list"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := problemsOf(preset.ParseFile([]byte(tt.text))); got != tt.want {
				t.Errorf("problems: %s\nwant      %s", got, tt.want)
			}
		})
	}
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func bomb() string {
	return "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\npresets: *c\n"
}

func TestParseFile_readsWhatItSays(t *testing.T) {
	f, problems := preset.ParseFile([]byte("\n# ours\npresets:\n\n- note: |\n    one\n    two\n  name: ' 標準: \"プラン\" '\n  functions:\n    invoice: true\n    open_api: false\n- name: Basic\n"))
	if len(problems) > 0 || len(f.Presets) != 2 {
		t.Fatalf("%+v, %v", f, problems)
	}
	want := preset.Content{Name: `標準: "プラン"`, Note: "one\ntwo", Flags: wave.Wanted{"invoice": true, "open_api": false}}
	if got := f.Presets[0]; !got.Equal(want) || got.Line != 5 {
		t.Errorf("%+v", got)
	}
	if got := f.Presets[1]; got.Name != "Basic" || got.Line != 12 || len(got.Flags) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestParseFile_readsViews(t *testing.T) {
	f, problems := preset.ParseFile([]byte("views:\n\n- query: 'on=invoice&drift=1'\n  preset: \"標準\"\n  shared: true\n  name: Drift\n- name: All\n"))
	if len(problems) > 0 || len(f.Views) != 2 || len(f.Presets) != 0 {
		t.Fatalf("%+v, %v", f, problems)
	}
	if got, want := f.Views[0].View, (preset.View{Name: "Drift", Query: "on=invoice&drift=1", Preset: "標準", Shared: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := f.Views[1]; got.View != (preset.View{Name: "All"}) {
		t.Errorf("%+v", got)
	}
	var lines []int
	for _, e := range f.Views {
		lines = append(lines, e.Line, e.LineOf("name"), e.LineOf("query"))
	}
	if got := fmt.Sprint(lines); got != "[3 6 3 7 7 7]" {
		t.Errorf("the lines are %s", got)
	}
}

// Whatever a preset says comes back from the file as it was.
func TestEncodeFile_comesBack(t *testing.T) {
	contents := rapid.Custom(func(t *rapid.T) preset.Content {
		c := preset.Content{
			Name: rapid.StringN(1, 30, 80).Draw(t, "name"), Note: rapid.StringN(0, 60, 400).Draw(t, "note"), Flags: wave.Wanted{},
		}
		for _, f := range wave.Flags {
			if v := rapid.IntRange(0, 2).Draw(t, "flag"); v > 0 {
				c.Flags[f.Key] = v == 2
			}
		}
		return c.Tidy()
	}).Filter(func(c preset.Content) bool { return c.Check() == nil }) // no other can be saved
	rapid.Check(t, func(t *rapid.T) {
		var all []*preset.Preset
		for range rapid.IntRange(1, 3).Draw(t, "presets") {
			c := contents.Draw(t, "preset")
			all = append(all, preset.New(preset.Preset{ID: "p", Name: c.Name, Note: c.Note, Flags: c.Flags}))
		}
		var views []preset.View
		for range rapid.IntRange(0, 3).Draw(t, "views") {
			views = append(views, preset.View{
				Name: rapid.StringMatching(`[^\pC]{1,30}`).Draw(t, "view"), Query: rapid.StringMatching(`[a-z0-9%&=+._~-]{0,60}`).Draw(t, "query"),
				Preset: all[0].Name, Shared: rapid.Bool().Draw(t, "shared"),
			})
		}
		text, err := preset.EncodeFile(all, views)
		if err != nil {
			t.Fatal(err)
		}
		f, problems := preset.ParseFile(text)
		if got := problemsOf(f, problems); got != "" || len(f.Presets) != len(all) || len(f.Views) != len(views) {
			t.Fatalf("problems: %s in\n%s", got, text)
		}
		for i, e := range f.Views {
			if e.View != views[i] {
				t.Fatalf("%+v came back as %+v from\n%s", views[i], e.View, text)
			}
		}
		for i, e := range f.Presets {
			if !e.Equal(all[i].Content()) {
				t.Fatalf("%+v came back as %+v from\n%s", all[i].Content(), e.Content, text)
			}
		}
	})
}

func TestEncodeFile(t *testing.T) {
	gold := preset.New(preset.Preset{ID: "g", Name: "Gold", Flags: wave.Wanted{"open_api": false, "invoice": true, "new_in_2027": true}})
	for want, tt := range map[string]struct {
		presets []*preset.Preset
		views   []preset.View
	}{
		"presets: []\n": {presets: []*preset.Preset{preset.BuiltIn()}},
		"presets:\n  - name: \"Gold\"\n    note: \"\"\n    functions:\n      \"invoice\": true\n      \"open_api\": false\n      \"new_in_2027\": true\n": {
			presets: []*preset.Preset{preset.BuiltIn(), gold},
		},
		"presets: []\nviews:\n  - name: \"Drift\"\n    query: \"drift=1&q=a\"\n    preset: \"Gold\"\n    shared: true\n  - name: \"All\"\n    query: \"\"\n    shared: false\n": {
			views: []preset.View{{Name: "Drift", Query: "drift=1&q=a", Preset: "Gold", Shared: true}, {Name: "All"}},
		},
	} {
		if got, err := preset.EncodeFile(tt.presets, tt.views); err != nil || string(got) != want {
			t.Errorf("%s, %v; want\n%s", got, err, want)
		}
	}
}

// Nothing that a file holds makes it panic, and what it takes can be kept.
func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{
		one + "      invoice: true\n", bomb(), deep(20), "presets:\n- name: \"a\\0b\"\n", "presets:\n- {name: x, functions: {invoice: true}}\n",
		"? a\n: b\n", "- - - a\n", "presets: !!map\n  - &a *a\n", "a: |\n  b\n--- \n...\n", "%YAML 1.2\n---\npresets: []\n",
		"views:\n  - name: \"a\"\n    query: \"on=invoice\"\n    preset: \"Gold\"\n    shared: true\n", "views: [{shared: {}}, a, [b], {name: *c}]\npresets:\n",
	} {
		f.Add([]byte(seed))
	}
	if b, err := os.ReadFile("../wave/flags.yaml"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, problems := preset.ParseFile(text)
		if len(problems) > 0 && len(file.Presets)+len(file.Views) > 0 {
			t.Error("a file that is refused has presets or views")
		}
		for _, e := range file.Views {
			if e.Line < 1 || e.LineOf("name") < e.Line {
				t.Errorf("line %d, that of the name %d", e.Line, e.LineOf("name"))
			}
		}
		for _, e := range file.Presets {
			if err := e.Check(); len(e.Problems) == 0 && err != nil {
				t.Errorf("%+v was taken: %v", e, err)
			}
			if e.Line < 1 {
				t.Errorf("line %d", e.Line)
			}
		}
	})
}
