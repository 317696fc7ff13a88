//! ITU-T G.711: A-law and µ-law to linear samples.
//!
//! The Recommendation's values are 13 bits (A-law) and 14 bits (µ-law) wide; here they are shifted
//! up to 16 bits, so that both laws come out near full scale (±32,256 and ±32,124).

/// Linear value of each A-law octet.
pub(crate) const A_LAW: [i16; 256] = table(Law::A);

/// Linear value of each µ-law octet.
pub(crate) const MU_LAW: [i16; 256] = table(Law::Mu);

#[derive(Clone, Copy)]
enum Law {
    A,
    Mu,
}

const fn table(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = match law {
            Law::A => a_law(octet as u8),
            Law::Mu => mu_law(octet as u8),
        };
        octet += 1;
    }
    table
}

/// G.711 §3, Table 1: sign, 3 bits of segment, 4 bits of step, sent with the even bits inverted.
const fn a_law(octet: u8) -> i16 {
    let code = octet ^ 0x55;
    let segment = (code >> 4) & 7;
    // The middle of the step: 16 steps of 16 (in 16 bits) in each of the two lowest segments, the
    // step doubles with each segment above.
    let step_middle = ((code & 15) as i16) * 16 + 8;
    let magnitude = if segment == 0 { step_middle } else { (step_middle + 256) << (segment - 1) };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

/// G.711 §3, Table 2: all bits inverted; the segments meet by the bias of 33 (132 in 16 bits).
const fn mu_law(octet: u8) -> i16 {
    const BIAS: i16 = 33 * 4;
    let code = !octet;
    let segment = (code >> 4) & 7;
    let magnitude = ((((code & 15) as i16) * 8 + BIAS) << segment) - BIAS;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decoder output values of G.711 Table 1 (× 8: 13 bits in 16) at the ends of segments. The
    /// octets are the table's character signals with the even bits inverted.
    #[test]
    fn a_law_values_of_table_1() {
        for (character_signal, value) in [
            (0b1111_1111, 4032),
            (0b1111_0000, 2112),
            (0b1110_0000, 1056),
            (0b1101_0000, 528),
            (0b1100_0000, 264),
            (0b1011_0000, 132),
            (0b1010_0000, 66),
            (0b1000_0000, 1),
        ] {
            let octet: u8 = character_signal ^ 0x55;
            assert_eq!(A_LAW[usize::from(octet)], value * 8, "{character_signal:08b}");
            assert_eq!(A_LAW[usize::from(octet ^ 0x80)], -value * 8, "{character_signal:08b}");
        }
    }

    /// Decoder output values of G.711 Table 2 (× 4: 14 bits in 16).
    #[test]
    fn mu_law_values_of_table_2() {
        for (octet, value) in [
            (0b1000_0000, 8031),
            (0b1000_1111, 4191),
            (0b1001_1111, 2079),
            (0b1010_1111, 1023),
            (0b1011_1111, 495),
            (0b1100_1111, 231),
            (0b1101_1111, 99),
            (0b1110_1111, 33),
            (0b1111_1110, 2),
            (0b1111_1111, 0),
        ] {
            let octet: u8 = octet;
            assert_eq!(MU_LAW[usize::from(octet)], value * 4, "{octet:08b}");
            assert_eq!(MU_LAW[usize::from(octet ^ 0x80)], -value * 4, "{octet:08b}");
        }
    }

    /// Both laws rise with the magnitude bits of the character signal, so no step is out of order.
    #[test]
    fn both_laws_are_monotonic() {
        let check = |values: Vec<i16>| {
            assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{values:?}");
        };
        check((0x80..=0xff).map(|signal: u8| A_LAW[usize::from(signal ^ 0x55)]).collect());
        check((0x80..=0xff).rev().map(|octet: u8| MU_LAW[usize::from(octet)]).collect());
    }
}
