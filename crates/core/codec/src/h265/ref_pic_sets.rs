//! What lies between the picture size and the VUI of an SPS and has to be stepped over: scaling
//! lists (H.265 §7.3.4) and short-term reference picture sets (§7.3.7).

use crate::Error;
use crate::rbsp::RbspReader;

pub(super) fn skip_scaling_list_data(r: &mut RbspReader<'_>) -> Result<(), Error> {
    for size_id in 0..4u32 {
        for _ in 0..if size_id == 3 { 2 } else { 6 } {
            if !r.flag()? {
                r.ue()?; // scaling_list_pred_matrix_id_delta
                continue;
            }
            if size_id > 1 {
                r.se()?; // scaling_list_dc_coef_minus8
            }
            for _ in 0..64.min(1 << (4 + 2 * size_id)) {
                r.se()?; // scaling_list_delta_coef
            }
        }
    }
    Ok(())
}

pub(super) fn skip_short_term_ref_pic_sets(r: &mut RbspReader<'_>) -> Result<(), Error> {
    let count = r.ue_max("num_short_term_ref_pic_sets", 64)?;
    let mut previous_delta_pocs = 0;
    for index in 0..count {
        // inter_ref_pic_set_prediction_flag
        previous_delta_pocs = if index != 0 && r.flag()? {
            r.flag()?; // delta_rps_sign
            r.ue()?; // abs_delta_rps_minus1
            let mut delta_pocs = 0;
            for _ in 0..=previous_delta_pocs {
                // used_by_curr_pic_flag, else use_delta_flag
                if r.flag()? || r.flag()? {
                    delta_pocs += 1;
                }
            }
            delta_pocs
        } else {
            let negative = r.ue_max("num_negative_pics", PICTURES_MAX)?;
            let positive = r.ue_max("num_positive_pics", PICTURES_MAX)?;
            for _ in 0..negative + positive {
                r.ue()?; // delta_poc_minus1
                r.flag()?; // used_by_curr_pic_flag
            }
            negative + positive
        };
        if previous_delta_pocs > PICTURES_MAX {
            return Err(Error::OutOfRange {
                field: "NumDeltaPocs",
                value: previous_delta_pocs.into(),
                max: PICTURES_MAX.into(),
            });
        }
    }
    Ok(())
}

/// sps_max_dec_pic_buffering_minus1 is at most 15 (§A.4.2).
const PICTURES_MAX: u32 = 16;
