package sim

// Shrink removes from a schedule that breaks something every point that is not needed for it to break the same.
func Shrink(s Schedule) Schedule {
	before := Run(s)
	if len(before.Broken) == 0 {
		return s
	}
	for again := true; again; {
		again = false
		for i := range s.Points {
			smaller := s
			smaller.Points = append(append([]Point{}, s.Points[:i]...), s.Points[i+1:]...)
			after := Run(smaller)
			if len(after.Broken) > 0 && after.Broken[0].Invariant == before.Broken[0].Invariant {
				s, again = smaller, true
				break
			}
		}
	}
	return s
}
