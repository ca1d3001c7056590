// Package advice says what a fleet's own past teaches: how long its overlaps have to be, and which of its shared secrets could be done
// without. It reads records, decides nothing, and asks nobody.
//
//	records (Habits) ──► Fleet.Add, one after the other ──► Report ──► "rotad advise"
//
// What is kept grows with the clients that something can be said of, and not with how often they were rotated.
package advice
