package certificate

import "context"

// residence is where somebody lives.
func residence(r Registers) fetch {
	return func(ctx context.Context, q Question) (Record, bool, error) {
		at, ok, err := r.Residents.Residence(ctx, q)
		return Record{Holder: at.Person, Address: at.Address}, ok, err
	}
}

// family is with whom somebody lives.
func family(r Registers) fetch {
	return func(ctx context.Context, q Question) (Record, bool, error) {
		record, ok, err := residence(r)(ctx, q)
		if err != nil || !ok {
			return Record{}, false, err
		}
		record.Members, ok, err = r.Residents.Family(ctx, q)
		return record, ok, err
	}
}
