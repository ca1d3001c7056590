// Package failpoint marks the places where a process may die in the middle of its work, for the test that kills it there.
//
//	scheduler, rotation, vault,          without the build tag      nothing: an empty function that is inlined away
//	bolt store, notices ──► Hit ──►─┤
//	                                     with "failpoints"          $ROTAD_FAILPOINTS ──► says so on stderr ──► SIGKILL
//
// A program that was built without the tag has neither the names of the points nor the variable in it.
package failpoint
