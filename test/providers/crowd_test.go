package providers

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// The application as which Dex asks the directory.
const crowdUser, crowdPassword = "dex", "directory password"

// newCrowd serves people as the part of Atlassian Crowd's API that Dex calls. It
// refuses whoever is not Dex, and every wrong password.
func newCrowd(t *testing.T, all *people) (baseURL string) {
	const base = "/rest/usermanagement/1"
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+base+"/session", func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Username, Password string }
		err := json.NewDecoder(r.Body).Decode(&asked)
		one, ok := all.get(asked.Username)
		if err != nil || !ok || asked.Password != one.Password {
			answer(w, http.StatusBadRequest, map[string]any{"reason": "INVALID_USER_AUTHENTICATION", "message": "no"})
			return
		}
		answer(w, http.StatusCreated, map[string]any{"token": "t", "user": map[string]any{"name": one.Username}})
	})
	mux.HandleFunc("GET "+base+"/user", func(w http.ResponseWriter, r *http.Request) {
		one, ok := all.get(r.FormValue("username"))
		if !ok {
			answer(w, http.StatusNotFound, map[string]any{"reason": "USER_NOT_FOUND"})
			return
		}
		answer(w, http.StatusOK, map[string]any{"key": one.ID, "name": one.Username, "active": true, "email": one.Email})
	})
	mux.HandleFunc("GET "+base+"/user/group/nested", func(w http.ResponseWriter, r *http.Request) {
		one, _ := all.get(r.FormValue("username"))
		groups := []map[string]any{}
		for _, name := range one.Groups {
			groups = append(groups, map[string]any{"name": name})
		}
		answer(w, http.StatusOK, map[string]any{"groups": groups})
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != crowdUser || password != crowdPassword {
			answer(w, http.StatusUnauthorized, map[string]any{"reason": "INVALID_APPLICATION"})
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // Dex notices half an answer
}
