package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sources is what Load reads, the later ones over the earlier ones.
type Sources struct {
	File string   // YAML; empty for none
	Env  []string // as os.Environ returns it
	Set  []string // values of the --set flag: path=value
}

// Load reads the settings from all sources and checks them. It fails with an
// *Error that lists everything that is wrong.
func Load(src Sources) (Config, Origins, error) {
	cfg := Default()
	l := &loader{cfg: &cfg, origins: Origins{}}
	if src.File != "" {
		l.readFile(src.File)
	}
	l.readEnv(src.Env)
	l.readFlags(src.Set)
	// To call everything missing that a broken file may hold would hide the cause.
	if !l.unread {
		l.readSecretFiles()
		validate(&cfg, l.reportOnce)
	}
	if len(l.problems) > 0 {
		return Config{}, nil, &Error{l.problems}
	}
	return cfg, l.origins, nil
}

// Validate checks settings that a program has put together. It reads no secret
// files.
func (c Config) Validate() error {
	l := &loader{cfg: &c}
	validate(&c, l.reportOnce)
	if len(l.problems) > 0 {
		return &Error{l.problems}
	}
	return nil
}

type loader struct {
	cfg      *Config
	origins  Origins
	source   *source
	unread   bool     // the file as a whole
	held     []string // settings whose secret stands in the file
	problems []Problem
}

func (l *loader) add(p Problem) { l.problems = append(l.problems, p) }

func (l *loader) problem(path string, origin Origin, message string) {
	p := Problem{Path: path, Message: message, Origin: origin}
	if origin.Line > 0 {
		p.excerpt = l.source.excerpt(origin.Line, origin.Column)
	}
	l.add(p)
}

// report tells what is wrong with the setting at path, where it was written.
func (l *loader) report(path, message string) { l.problem(path, l.origins.of(path), message) }

// reportOnce is report for a setting that has no problem yet.
func (l *loader) reportOnce(path, message string) {
	if !slices.ContainsFunc(l.problems, func(p Problem) bool { return p.Path == path }) {
		l.report(path, message)
	}
}

func (l *loader) set(s setting, text string, origin Origin) {
	for path := range l.origins { // elements of a list that is replaced
		if strings.HasPrefix(path, s.path+"[") {
			delete(l.origins, path)
		}
	}
	l.origins[s.path] = origin
	if err := s.setText(text); err != nil {
		l.report(s.path, err.Error())
	}
}

// readEnv takes the variables that name a setting. An empty one counts as not
// set, as Compose passes them. A name that begins like a section but is no
// setting is refused; others are not ours (Kubernetes sets WAVEADMIN_PORT).
func (l *loader) readEnv(env []string) {
	names := map[string]string{}
	for _, path := range Paths() {
		names[EnvName(path)] = path
	}
	env = slices.Sorted(slices.Values(env))
	for _, entry := range env {
		name, text, _ := strings.Cut(entry, "=")
		path, known := names[name]
		switch {
		case known && text != "":
			s, _ := find(l.cfg, path)
			l.set(s, text, Origin{Env: name})
		case !known && looksOurs(name):
			l.problem("", Origin{Env: name}, unknown("variable", name, nearest(name, slices.Sorted(maps.Keys(names)))))
		}
	}
}

func looksOurs(name string) bool {
	return slices.ContainsFunc(sections, func(section string) bool {
		return strings.HasPrefix(name, EnvName(section)+"_")
	})
}

func (l *loader) readFlags(set []string) {
	for _, entry := range set {
		path, text, ok := strings.Cut(entry, "=")
		origin := Origin{Flag: "--set " + path}
		s, known := find(l.cfg, path)
		switch {
		case !ok:
			l.problem("", Origin{Flag: "--set"}, "wants path=value, such as --set log.level=debug")
		case !known:
			l.problem("", origin, unknownKey(path, ""))
		case s.isSecret() && !strings.HasPrefix(text, "sqlite:"):
			// Other users of the machine see the arguments of a process.
			l.problem(path, origin, "cannot be a flag: give it as "+EnvName(path)+" or in a file")
		default:
			l.set(s, text, origin)
		}
	}
}

// sections is the path of everything that has settings below it.
var sections = func() []string {
	var all []string
	for _, path := range Paths() {
		for i, c := range path {
			if c == '.' && !slices.Contains(all, path[:i]) {
				all = append(all, path[:i])
			}
		}
	}
	return all
}()

// unknownKey names the setting that was most likely meant: one of the same
// section, or one of the same name elsewhere.
func unknownKey(path, prefix string) string {
	var siblings []string
	for _, p := range slices.Concat(Paths(), sections) {
		rest, ok := strings.CutPrefix(p, prefix)
		if ok && (prefix == "" || !strings.Contains(rest, ".")) {
			siblings = append(siblings, p)
		}
	}
	meant := nearest(path, siblings)
	last := path[strings.LastIndex(path, ".")+1:]
	if i := slices.IndexFunc(Paths(), func(p string) bool { return strings.HasSuffix(p, "."+last) }); meant == "" && i >= 0 {
		meant = Paths()[i]
	}
	return unknown("setting", path, meant)
}

func unknown(what, name, meant string) string {
	message := fmt.Sprintf("unknown %s %q", what, name)
	if meant != "" {
		message += fmt.Sprintf(", did you mean %q?", meant)
	}
	return message
}
