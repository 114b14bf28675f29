package store

// BatchLanes is how many batches run at once.
const BatchLanes = batchLanes
