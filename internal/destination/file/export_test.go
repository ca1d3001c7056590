package file

import "testing"

// Within says whether a user in groups can give files to an owner.
func Within(t *testing.T, text string, uid int, groups []int) bool {
	t.Helper()
	o, err := ownerOf(text)
	if err != nil {
		t.Fatal(err)
	}
	return o.within(uid, groups)
}

// Chowns says whether a process of that status may give files to anybody.
func Chowns(status string) bool { return effective(status)&capChown != 0 }
