//! What every store has to do, as one suite that runs over each of them.
//!
//! `store_behaviour!(make)` makes a test of every fact; `make` is an async function that returns an
//! empty store that keeps [`EVENTS_MAX`] events, and whatever must outlive it.

mod events;
mod history;
mod ledger;
mod observations;
mod places;
mod samples;

pub use events::*;
pub use history::*;
pub use ledger::*;
pub use observations::*;
pub use places::*;
pub use samples::*;

/// How many events the store under test is to keep.
pub const EVENTS_MAX: u32 = 50;

/// Makes a test of every fact about stores; see the module.
#[macro_export]
macro_rules! store_behaviour {
    ($make:path) => {
        $crate::store_behaviour! { $make:
            places_are_listed_in_the_order_of_adding,
            place_is_replaced_and_keeps_its_turn,
            place_comes_back_as_it_was_put,
            removed_place_is_neither_listed_nor_served,
            place_added_again_has_its_history,
            observation_comes_back_as_it_was_recorded,
            repeated_observation_changes_nothing,
            different_answer_becomes_a_revision,
            every_part_of_an_observation_counts_as_a_difference,
            one_batch_may_repeat_and_correct_itself,
            instants_are_cut_to_the_millisecond,
            reading_that_is_no_number_is_left_out,
            unknown_place_refuses_the_whole_batch,
            selection_of_nothing_refuses_the_whole_batch,
            large_batch_is_answered_in_order,
            place_is_served_from_its_newest_selection,
            served_observation_is_the_corrected_one,
            kept_answer_is_the_newest_one,
            observations_are_listed_in_pages,
            observations_are_listed_by_provider_and_stretch,
            samples_are_the_values_of_a_half_open_stretch,
            events_come_back_as_they_were_appended,
            events_are_found_by_what_they_are_about,
            events_are_listed_in_pages,
            oldest_events_are_dropped_and_numbers_go_on,
            quota_count_never_goes_down_within_a_window,
            newest_quota_window_of_each_kind_is_kept,
            quota_counts_of_services_are_kept_apart,
        }
    };
    ($make:path: $($fact:ident,)+) => {
        $(
            #[tokio::test]
            async fn $fact() {
                let (store, _kept_alive) = $make().await;
                $crate::behaviour::$fact(&store).await;
            }
        )+
    };
}
