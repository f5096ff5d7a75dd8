package coherence

import (
	"fmt"
	"time"
)

// steps takes each step that can happen next.
func (m model) steps(w modelState, then func(action, *modelState)) {
	do := func(name action, change func(w *modelState)) {
		to := w
		change(&to)
		then(name, &to)
	}
	if w.now < m.ticks {
		do(action{"time", int(w.now), "passes"}, func(w *modelState) { w.now++ })
	}
	for i := range m.readers {
		m.processSteps(w, i, do)
	}
	for x, by := range m.writers {
		m.writerSteps(w, x, by, do)
	}
	if m.restart && w.nextRow < maxRows {
		do(action{"process", 1, "restarts"}, func(w *modelState) {
			for x, by := range m.writers {
				if by == 1 && w.txs[x].state != txCommitted { // COMMIT may have been sent
					if w.txs[x].state != txCommitting {
						w.txs[x] = modelTx{state: w.txs[x].state, recorded: w.txs[x].recorded}
					}
				}
			}
			w.procs[1] = modelProc{id: w.nextRow}
			w.nextRow++
		})
	}
}

func (m model) processSteps(w modelState, i int, do func(action, func(*modelState))) {
	p := w.procs[i]
	name := func(what string) action { return action{"process", i, what} }
	switch p.renewal.stage {
	case 0:
		if p.sent == w.now {
			break
		}
		if !m.readers[i] { // whatever is late in its renewal makes it more careful
			do(name("renews"), func(w *modelState) {
				m.send(w, &w.procs[i], false)
				m.execute(w, &w.procs[i])
				m.answer(w, &w.procs[i])
			})
			break
		}
		do(name("sends a renewal and wants no lease"), func(w *modelState) { m.send(w, &w.procs[i], false) })
		do(name("sends a renewal and wants a lease"), func(w *modelState) { m.send(w, &w.procs[i], true) })
	case 1:
		do(name("has its renewal executed"), func(w *modelState) { m.execute(w, &w.procs[i]) })
	case 2:
		do(name("gets the answer to its renewal"), func(w *modelState) { m.answer(w, &w.procs[i]) })
	}
	if m.readers[i] && m.leaseHeld(&w, &p) {
		m.loadSteps(p, i, name, do)
	}
	for x := range m.writers {
		if w.txs[x].toldTo.has(int(p.id)) {
			do(name("receives a change"), func(w *modelState) {
				tx, p := &w.txs[x], &w.procs[i]
				tx.toldTo = tx.toldTo.without(int(p.id))
				tx.answers = tx.answers.with(int(p.id))
				if m.omit != addBeforeAnswer {
					p.add(bits(0).with(x))
				}
			})
		}
	}
}

func (m model) send(w *modelState, p *modelProc, reads bool) {
	l := p.lease()
	l.want(reads)
	p.setLease(l)
	if !reads && m.omit != endLeaseBeforeSayingSo {
		p.endLease()
	}
	p.sent = w.now
	p.renewal = modelRenewal{stage: 1, sent: w.now, reads: reads}
}

func (m model) execute(w *modelState, p *modelProc) {
	r := &p.renewal
	r.stage, r.snapshot, r.changes = 2, w.snapshot(), w.visible()&^p.seen
	if m.omit == readChangesAtRenewal {
		r.changes = 0
	}
	row := &w.rows[p.id]
	row.turn, row.reads, row.seen = row.turn+1, r.reads, p.seen
	r.rows = w.rows
}

func (m model) answer(w *modelState, p *modelProc) {
	r := p.renewal
	p.renewal = modelRenewal{}
	p.add(r.changes)
	p.seen |= r.changes

	list := peers{timing: modelTiming, rows: map[string]peer{}}
	for id, known := range p.peers {
		if known.known {
			list.rows[fmt.Sprint(id)] = peer{row: known.row.real(id), since: ticks(known.since), dead: known.dead}
		}
	}
	var rows []Row
	for id, row := range r.rows {
		if row.turn > 0 {
			rows = append(rows, row.real(id))
		}
	}
	list.update(fmt.Sprint(p.id), rows, ticks(r.sent), ticks(w.now))
	p.listRead = r.sent
	for id := range p.peers {
		found, ok := list.rows[fmt.Sprint(id)]
		p.peers[id] = modelPeer{known: ok}
		if ok {
			p.peers[id] = modelPeer{known: true, row: r.rows[id], since: int8(found.since), dead: found.dead}
			if m.omit == judgePeersByTheirTurn && w.now > int8(found.since) {
				p.peers[id].dead = true
			}
		}
	}

	l := p.lease()
	switch {
	case m.omit == waitForList && l.stage == stageListed:
		l.joined = -ticks(modelList) - 1
	case m.omit == waitForRunning && l.stage == stageListed && ticks(r.sent)-l.joined > modelList:
		l.stage = stageHeld
	case m.omit == beginAnewAfterLateAnswer:
		l.renewed = ticks(w.now)
	}
	end := int8(l.renew(ticks(r.sent), ticks(w.now), r.snapshot.real()))
	p.setLease(l)
	if end == 0 {
		p.endLease()
	}
	p.end = end
}

// endLease also ends a load, which is admitted only under the lease that it began under.
func (p *modelProc) endLease() {
	p.end, p.loading, p.load = 0, 0, modelEntry{}
}

// loadSteps are a load that nobody else waits for: snapshot, data, and admission to memory and Redis.
func (m model) loadSteps(p modelProc, i int, name func(string) action, do func(action, func(*modelState))) {
	switch p.loading {
	case 0:
		do(name("takes a snapshot and begins a load"), func(w *modelState) {
			p := &w.procs[i]
			p.loading, p.load = 1, modelEntry{there: true, snapshot: w.snapshot()}
		})
	case 1:
		do(name("reads the data"), func(w *modelState) {
			p := &w.procs[i]
			p.loading, p.load.data = 2, w.committed()
		})
	case 2:
		do(name("admits the data"), func(w *modelState) {
			p := &w.procs[i]
			if m.omit == snapshotBeforeData {
				p.load.snapshot = w.snapshot()
			}
			if p.load.snapshot.ended.contains(p.ledger) {
				p.local, w.shared = p.load, p.load
			}
			p.loading, p.load = 0, modelEntry{}
		})
	}
}

func (m model) writerSteps(w modelState, x, by int, do func(action, func(*modelState))) {
	tx, p := w.txs[x], w.procs[by]
	name := func(what string) action { return action{"transaction", x, what} }
	switch tx.state {
	case txNone:
		do(name("begins"), func(w *modelState) { w.txs[x].state = txRunning })
	case txRunning:
		if p.listRead > 0 && w.now-p.listRead < modelList {
			do(name("is announced"), func(w *modelState) { m.announce(&w.txs[x], &w.procs[by], x) })
		}
	case txAnnounced, txRecorded:
		for id := range maxRows {
			if tx.answers.has(id) {
				do(name("is answered"), func(w *modelState) {
					w.txs[x].answers = w.txs[x].answers.without(id)
					w.txs[x].missing = w.txs[x].missing.without(id)
				})
			}
		}
		if tx.state == txAnnounced && tx.missing != 0 {
			do(name("is recorded apart"), func(w *modelState) {
				w.txs[x].state, w.txs[x].recorded = txRecorded, w.now
				w.procs[by].seen = w.procs[by].seen.with(x)
			})
		}
		if m.mayCommit(w, tx, p, x) {
			do(name("sends COMMIT"), func(w *modelState) { w.txs[x].state = txCommitting })
		}
	case txCommitting:
		do(name("commits"), func(w *modelState) { w.txs[x].state = txCommitted })
	}
}

func (m model) announce(tx *modelTx, p *modelProc, x int) {
	p.add(bits(0).with(x))
	tx.state = txAnnounced
	if m.omit == commitAfterWaiting {
		tx.state = txCommitting
	}
	for id, peer := range p.peers {
		if peer.known && peer.row.reads && !peer.dead {
			tx.missing, tx.toldTo = tx.missing.with(id), tx.toldTo.with(id)
		}
	}
}

func (m model) mayCommit(w modelState, tx modelTx, p modelProc, x int) bool {
	if m.omit == waitForAnswers {
		return true
	}
	wait := int8(modelLease)
	if m.omit == waitForLeaseAfterRecord {
		wait = 1
	}
	if tx.state == txRecorded && w.now-tx.recorded >= wait {
		return true
	}
	for id, peer := range p.peers {
		done := !peer.known || peer.dead || !peer.row.reads || tx.state == txRecorded && peer.row.seen.has(x)
		if tx.missing.has(id) && !done {
			return false
		}
	}
	return tx.state == txRecorded || tx.missing == 0
}

func (p *modelProc) lease() lease {
	return lease{
		timing:  modelTiming,
		stage:   stage(p.stage),
		renewed: ticks(p.renewed),
		joined:  ticks(p.joined),
		running: p.running.real(),
	}
}

func (p *modelProc) setLease(l lease) {
	if l.stage == stageWaiting && stage(p.stage) != stageWaiting {
		p.running = modelSnapshot{}
		for _, id := range l.running.Running {
			p.running.begun = p.running.begun.with(int(id) - 1)
		}
	}
	p.stage, p.renewed, p.joined = int8(l.stage), int8(l.renewed), int8(l.joined)
}

func (r modelRow) real(id int) Row {
	return Row{Process: fmt.Sprint(id), Turn: uint64(r.turn), Reads: r.reads}
}

func ticks(n int8) time.Duration { return time.Duration(n) }
