//! What tests count: turns, how often a turn gave the interpreter up, attached and detached sections that are open.
//! Without the feature `testing` all of it is nothing.

#[cfg(feature = "testing")]
pub use counting::{Section, Turns, open_sections, release, take_turns, turn};

#[cfg(feature = "testing")]
mod counting {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Of all threads: one that ends inside a section leaves it open for ever.
    static OPEN: AtomicI64 = AtomicI64::new(0);

    thread_local! {
        static TURNS: Cell<Turns> = const { Cell::new(Turns { turns: 0, releases: 0, most: 0, latest: 0 }) };
    }

    /// The turns of this thread's loops since they were last asked for.
    #[derive(Clone, Copy, Default)]
    pub struct Turns {
        /// How many there were,
        pub turns: u64,
        /// how often they gave the interpreter up,
        pub releases: u64,
        /// the most of one turn,
        pub most: u64,
        /// and that of the turn which goes on.
        latest: u64,
    }

    /// An attached or a detached section, open until this is dropped.
    pub struct Section;

    impl Section {
        /// Begins one.
        pub fn open() -> Self {
            OPEN.fetch_add(1, Ordering::Relaxed);
            Self
        }
    }

    impl Drop for Section {
        fn drop(&mut self) {
            OPEN.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many sections are open now, the caller's own included.
    pub fn open_sections() -> i64 {
        OPEN.load(Ordering::Relaxed)
    }

    /// A turn begins.
    pub fn turn() {
        TURNS.set(Turns {
            turns: TURNS.get().turns + 1,
            latest: 0,
            ..TURNS.get()
        });
    }

    /// The interpreter is given up.
    pub fn release() {
        let counted = TURNS.get();
        TURNS.set(Turns {
            releases: counted.releases + 1,
            most: counted.most.max(counted.latest + 1),
            latest: counted.latest + 1,
            ..counted
        });
    }

    /// What was counted, which begins anew.
    pub fn take_turns() -> Turns {
        TURNS.take()
    }
}

#[cfg(not(feature = "testing"))]
pub(crate) use nothing::{Section, release, turn};

#[cfg(not(feature = "testing"))]
mod nothing {
    pub(crate) struct Section;

    impl Section {
        #[inline]
        pub(crate) fn open() -> Self {
            Self
        }
    }

    #[inline]
    pub(crate) fn turn() {}

    #[inline]
    pub(crate) fn release() {}
}
