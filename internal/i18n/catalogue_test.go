package i18n

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// places returns the names of a sentence's arguments, sorted, each once. It
// fails on what T would fail on: mustLoad has parsed the sentence already.
func (m message) places() []string {
	var names []string
	for _, s := range m.segments {
		if s.name != "" {
			names = append(names, s.name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestCatalogues_sayTheSame(t *testing.T) {
	en, ja := catalogues["en"], catalogues["ja"]
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if _, ok := ja[key]; !ok {
			t.Errorf("ja lacks %q", key)
			continue
		}
		if diff := cmp.Diff(en[key].places(), ja[key].places()); diff != "" {
			t.Errorf("%q takes other arguments in the other language (-en +ja):\n%s", key, diff)
		}
	}
	for key := range ja {
		if _, ok := en[key]; !ok {
			t.Errorf("en lacks %q", key)
		}
	}
}

// TestCatalogues_haveEachKeyOnce: encoding/json would keep the last silently.
func TestCatalogues_haveEachKeyOnce(t *testing.T) {
	for _, lang := range Languages {
		src, err := files.ReadFile(lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(src)))
		var keys []string
		for n := 0; dec.More(); n++ {
			tok, err := dec.Token()
			if err != nil {
				t.Fatal(err)
			}
			if text, ok := tok.(string); ok && n%2 == 1 {
				keys = append(keys, text)
			}
		}
		if !slices.IsSorted(keys) {
			t.Errorf("%s.json is not sorted by key", lang)
		}
		if once := slices.Compact(slices.Clone(keys)); len(once) != len(keys) || len(once) != len(catalogues[lang]) {
			t.Errorf("%s.json has %d keys, %d of them different", lang, len(keys), len(catalogues[lang]))
		}
	}
}

// japaneseFault returns what is wrong with a Japanese text as a text, or "".
func japaneseFault(s string) string {
	plain := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(s, "…")
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return r >= '｡' && r <= 'ﾟ' }):
		return "half-width katakana"
	case strings.ContainsFunc(s, func(r rune) bool { return r >= '！' && r <= '～' && unicode.IsLetter(r) }):
		return "full-width Latin letters"
	case regexp.MustCompile(`[A-Za-z]+ [A-Za-z]+ [A-Za-z]+`).MatchString(plain):
		return "an English sentence"
	case regexp.MustCompile(`[\p{Hiragana}\p{Katakana}\p{Han}…][,.!?:;()]|[,.!?:;()][\p{Hiragana}\p{Katakana}\p{Han}]`).MatchString(plain):
		return "half-width punctuation"
	case strings.HasSuffix(plain, ".") || strings.HasSuffix(plain, ":"):
		return "an end that is not Japanese"
	case regexp.MustCompile(`[^、。]…$`).MatchString(plain) && strings.Contains(plain, "。"):
		return ""
	}
	for sentence := range strings.SplitAfterSeq(plain, "。") {
		if strings.HasSuffix(sentence, "。") &&
			!regexp.MustCompile(`(です|ます|ません|ました|でした|ください)(か)?(（[^）]*）)?。$`).MatchString(sentence) {
			return "a sentence that is not in です・ます: " + sentence
		}
	}
	return ""
}

func TestCatalogues_JapaneseIsJapanese(t *testing.T) {
	for _, key := range slices.Sorted(maps.Keys(catalogues["ja"])) {
		ja, en := catalogues["ja"][key].source, catalogues["en"][key].source
		if fault := japaneseFault(ja); fault != "" {
			t.Errorf("%s: %s: %s", key, fault, ja)
		}
		ends := strings.HasSuffix(ja, "。") || strings.HasSuffix(ja, "…") || strings.HasSuffix(ja, "？") || strings.HasSuffix(ja, "}")
		if strings.HasSuffix(en, ".") && !ends && !strings.HasSuffix(ja, "）") {
			t.Errorf("%s: a sentence without an end: %s", key, ja)
		}
		if strings.HasSuffix(ja, "。") && strings.IndexAny(en[len(en)-1:], ".?:") != 0 {
			t.Errorf("%s: only the Japanese is a sentence: %s", key, ja)
		}
	}
}

func TestJapaneseFault_seesEach(t *testing.T) {
	for text, want := range map[string]bool{
		"変更を保存しました。":            false,
		"{count}件の変更（{name}）":   false,
		"次の変更を保存しますか？":          false,
		"ﾒｰﾙを入力してください。":         true,
		"ＩＤを入力してください。":          true,
		"Please try once more。": true,
		"{label}: オン":           true,
		"リクエストID:":              true,
		"変更を保存しました.":            true,
		"変更,保存":                 true,
		"変更(保存)":                true,
		"変更を保存した。":              true,
		"変更を保存しました。もう一度やれ。":     true,
	} {
		if got := japaneseFault(text); (got != "") != want {
			t.Errorf("%s: %q, want a fault: %v", text, got, want)
		}
	}
}

// TestCatalogues_useOneWord holds the Japanese to one word for one thing.
func TestCatalogues_useOneWord(t *testing.T) {
	for wrong, right := range map[string]string{
		"お客様": "顧客", "エラーが出": "エラーが発生し", "会社コード": "会社ID", "企業ID": "会社ID",
		"請求先グループ": "請求グループ", "フラグ": "機能", "ファンクション": "機能", "リセラー アカウント": "リセラーアカウント",
		"メアド": "メールアドレス", "ブラウザに": "ブラウザーに", "サーバに": "サーバーに", "ユーザの": "ユーザーの",
		"して下さい": "してください", "出来": "でき", "致し": "いたし", "ボタンをクリック": "押す",
	} {
		for key, m := range catalogues["ja"] {
			if strings.Contains(m.source, wrong) {
				t.Errorf("%s says %s, elsewhere it is %s: %s", key, wrong, right, m.source)
			}
		}
	}
}
