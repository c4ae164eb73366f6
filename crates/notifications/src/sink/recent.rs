//! The ids of the lines seen last.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

/// 65,536 ids of 16 bytes, twice: about 4 MiB.
const CAPACITY: usize = 65_536;

/// A set that forgets the oldest.
#[derive(Debug, Default)]
pub(super) struct Recent {
    known: HashSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Recent {
    pub(super) fn insert(&mut self, id: Uuid) {
        if self.known.insert(id) {
            self.order.push_back(id);
            if self.order.len() > CAPACITY
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }

    pub(super) fn contains(&self, id: &Uuid) -> bool {
        self.known.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::default();
        for n in 0..=CAPACITY {
            recent.insert(Uuid::from_u128(n as u128));
        }
        assert!(!recent.contains(&Uuid::from_u128(0)));
        assert!(recent.contains(&Uuid::from_u128(1)));
        assert_eq!(recent.known.len(), CAPACITY);
    }
}
